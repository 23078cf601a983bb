"""HTTP parts that all routes share: errors, API keys, the OpenAPI document, metrics."""

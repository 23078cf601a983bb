"""What every route shares: errors, keys, parameters, cursors, the OpenAPI document, metrics."""

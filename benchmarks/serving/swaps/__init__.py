"""What requests feel while models are swapped: errors, latency, and whether any answer mixes two models."""

"""How swaps of models affect requests: errors, latency, and whether any answer mixes two models."""

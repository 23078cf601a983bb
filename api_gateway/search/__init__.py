"""Search results and suggestions out."""

"""Market analysis: what sold, what changes, what goes together, who buys. Arrays in, arrays out."""

"""API keys: what they may do, how they are made, and the key of this machine."""

"""Rules: what decides about an order beside the model, or without it. Pure: the gateway uses it, too."""

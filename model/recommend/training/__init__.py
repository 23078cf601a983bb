"""Training: from events to a fitted model, from scratch or as an update."""

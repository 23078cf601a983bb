"""From events to a fitted model, at once or on from one that serves."""

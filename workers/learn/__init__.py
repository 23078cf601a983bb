"""Learning: train a model on what the tables hold, publish it, and let the workers take it up."""

"""A whole reshelf that runs: how fresh shelves are, what an event costs, and what is felt of a swap of models."""

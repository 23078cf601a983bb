"""A whole reshelf: how fresh shelves are, what an event costs, and how a swap of models affects requests."""

"""How many users per second are encoded and given the best hundred of a large catalogue, by each way of searching."""

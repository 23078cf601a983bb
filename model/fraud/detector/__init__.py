"""The detector: network and trees, how they are fitted, and how they serve."""

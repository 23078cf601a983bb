"""The detector: network and trees, fitting, and scoring."""

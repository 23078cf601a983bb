"""The time of a search and of a change of an item in one process, and of building the index."""

"""What a search and a change of an item take in one process, and what building the index takes."""

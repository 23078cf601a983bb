"""A fuzz run of the loader: damaged files in 20 dialects and 10 encodings; every line is loaded or counted."""

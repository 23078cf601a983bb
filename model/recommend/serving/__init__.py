"""The ranker: the catalogue on the device, and compiled functions over it."""

"""Whole runs of training and testing, as papers and shops do them."""

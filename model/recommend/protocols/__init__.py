"""Complete runs of training and testing, as in papers and in shops."""

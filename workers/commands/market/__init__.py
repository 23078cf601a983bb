"""`reshelf market` and `reshelf report`."""

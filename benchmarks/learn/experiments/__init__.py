"""How often experiments err, and how soon they find a difference, if somebody checks all the time."""

"""How often experiments err, and how soon they find a difference, when somebody looks all the time."""

"""Dynamic pricing: proposals and their approval, rules, the stop, and every change of a price."""

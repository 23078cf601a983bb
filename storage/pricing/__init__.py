"""Dynamic pricing: rules, facts, proposals, and every change of a price."""

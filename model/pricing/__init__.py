"""Dynamic pricing: how demand answers to a price, and which price to propose within the shop's guardrails."""

"""Dynamic pricing in a running shop: proposing, applying within the guardrails, telling the shop, taking back."""

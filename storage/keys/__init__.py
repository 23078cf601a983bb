"""API keys, how much each is used, and the audit trail."""

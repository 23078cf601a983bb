"""Fraud: what an order looks like against what was known when it came, and how likely it is not the customer's own."""

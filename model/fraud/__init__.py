"""Fraud: features of an order from what was known when it came, and the probability that it is fraud."""

"""Fraud: screening orders, the rules, and training the detector."""

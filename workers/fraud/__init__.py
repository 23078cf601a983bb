"""Fraud: reading orders, and measuring how well the detector finds what is not the customer's own."""

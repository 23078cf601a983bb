"""Shoppers who are programs."""

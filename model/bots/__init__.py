"""Bots: shoppers who are programs."""

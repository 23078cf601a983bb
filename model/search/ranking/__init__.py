"""Ranking: the order of the items that a query found, and why."""

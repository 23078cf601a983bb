"""Serve search results and suggestions."""

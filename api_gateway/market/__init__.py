"""Market analysis: its newest version, as JSON and CSV."""

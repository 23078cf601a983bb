"""Market analysis: refreshed in the background, kept by version, and shown as a report."""

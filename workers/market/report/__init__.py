"""The report: what an analysis found, as one HTML file."""

"""Measurements: scripts that print one JSON object with what ran where. Results are kept in `results/`."""

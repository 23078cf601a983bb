"""Upkeep: recover from lost messages and dead workers, and delete old data."""

"""A whole reshelf on one machine: its processes, started, watched and ended."""

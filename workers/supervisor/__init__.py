"""A whole reshelf on one machine: its processes are started, watched and stopped."""

"""Other systems, measured beside ours in the same run."""

"""The `reshelf pricing` commands, one file each."""

"""The `reshelf` commands, one file each; `workers.cli` imports a file when its command is used."""

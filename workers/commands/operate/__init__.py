"""The commands that run and watch the processes of reshelf."""

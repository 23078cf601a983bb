"""What it costs to rank a shopper: CPU time of one process, next to what the arithmetic alone would take."""

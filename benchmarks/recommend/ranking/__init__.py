"""What it costs to rank a shopper: processor time of one process, beside what the arithmetic alone would take."""

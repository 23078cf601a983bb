"""How quickly orders are decided about over HTTP, with a million past ones, and with the model's process killed."""

"""How fast orders are screened over HTTP, with a million past ones, and with the fraud worker killed."""

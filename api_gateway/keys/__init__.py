"""API keys: followed from the database, checked at every request, and managed over HTTP."""

"""In which order the items are that a query found, and why."""

"""The doors: accept events and catalogue changes."""

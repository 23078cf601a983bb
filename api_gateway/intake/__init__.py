"""The doors: events and catalogue changes in."""

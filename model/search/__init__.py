"""Search: what a query finds in a catalogue, and in which order."""

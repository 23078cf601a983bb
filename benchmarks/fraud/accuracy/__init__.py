"""What the fraud detector is worth: online against offline, choices, late labels, evasion."""

"""How good the fraud detector is: online against offline features, options, late labels, evasion."""

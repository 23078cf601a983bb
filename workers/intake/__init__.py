"""Intake: from a message to committed rows and due marks."""

"""Orders, what is known of them, and what was decided."""

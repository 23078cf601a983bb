"""What was searched for, and the answers that are kept."""

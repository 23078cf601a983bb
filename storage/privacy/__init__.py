"""What is stored of a person: found, exported, and erased."""

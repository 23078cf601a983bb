"""What is kept of people: export it, erase it, and drop what still comes of those who were erased."""

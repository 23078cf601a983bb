"""Search: files, evaluation, and what the terminal shows of them."""

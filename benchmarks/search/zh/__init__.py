"""How well the Chinese searches find their products, beside BM25 of characters and bigrams."""

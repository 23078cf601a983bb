"""How well the Chinese searches find their products, next to BM25 of characters and bigrams."""

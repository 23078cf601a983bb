"""Weekly demand of items, categories and their total: one model of all series, coherent, with intervals."""

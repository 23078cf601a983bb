"""The search index of the catalogue: postings, words, filters, facets."""

"""The catalogue as search keeps it: postings, words, filters, facets."""

"""Search: answering queries, following the catalogue, and training."""

"""Training the recommender: what it reads, the gate, publishing, drift."""

"""Training the recommender: its data, the gate, publishing, drift."""

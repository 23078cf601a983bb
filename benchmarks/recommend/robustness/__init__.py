"""What the recommender keeps of its rankings when fake users are injected, and when its item matrix is int8."""

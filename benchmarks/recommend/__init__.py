"""The recommender: how good it is, what ranking costs, and how it holds against others and against attacks."""

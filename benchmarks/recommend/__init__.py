"""The recommender: accuracy, cost, comparison with others, and robustness against attacks."""

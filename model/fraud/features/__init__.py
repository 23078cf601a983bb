"""The features of an order: what is known about it before it is judged."""

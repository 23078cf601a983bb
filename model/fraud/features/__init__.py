"""What is known of an order before it is judged."""

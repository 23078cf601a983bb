"""Model versions: what they were trained on, which one is live, and how good they are."""

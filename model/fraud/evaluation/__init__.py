"""The detector beside others, by a published protocol."""

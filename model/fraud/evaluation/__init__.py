"""The detector compared with others, by a published protocol."""

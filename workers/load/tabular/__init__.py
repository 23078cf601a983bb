"""From the bytes of a CSV file to rows of text: compression, encoding, dialect, lines."""

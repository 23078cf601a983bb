"""From texts to values: numbers and money, times, and words that stand for nothing."""

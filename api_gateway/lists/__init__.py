"""What every list has: paging, a cursor, and the shelves that fill it up where one is short."""

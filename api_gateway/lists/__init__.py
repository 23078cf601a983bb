"""What all lists share: paging, the cursor, and the fallback chains of shelves."""

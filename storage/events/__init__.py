"""Events: written one batch at a time or in bulk, and read as histories."""

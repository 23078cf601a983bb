"""Events: written as they come or in bulk, and read as histories."""

"""The Celery application, what its processes are built of, and their upkeep."""

"""The Celery application: everything that reacts to an event."""

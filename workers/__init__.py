"""The Celery application: everything that runs because of an event."""

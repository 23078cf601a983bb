"""Background tasks of the gateway: following the database, ringing, counting usage, listening for answers."""

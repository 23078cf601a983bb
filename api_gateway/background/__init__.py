"""What the gateway does beside its requests: following, ringing, counting, waiting."""

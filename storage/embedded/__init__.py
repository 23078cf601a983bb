"""Real PostgreSQL and Redis from wheels: no Docker, no system packages, nothing left running.

`postgres.prepare` and `redis.prepare` make a server's folder ready, as often as you like, and say how to run
it; `servers.running` runs both for as long as a `with` block lasts.
"""

"""PostgreSQL and Redis from Python wheels: no Docker, no system packages, and nothing stays running.

`postgres.prepare` and `redis.prepare` prepare a server's folder, as often as you like, and return how to run the
server; `servers.running` runs both for the duration of a `with` block.
"""

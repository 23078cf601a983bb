"""The truth: PostgreSQL tables, the queries on them and their migrations. One file per capability."""

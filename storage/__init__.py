"""The PostgreSQL tables, the queries on them and their migrations, with one folder for each capability."""

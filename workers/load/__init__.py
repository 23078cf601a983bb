"""Loading files: a shop's past events and catalogue, from CSV or Parquet into the tables."""

"""Loading files: a shop's past behaviour and catalogue, from CSV or Parquet into the tables."""

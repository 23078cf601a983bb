"""Model versions: what they learnt, which serves, how well."""

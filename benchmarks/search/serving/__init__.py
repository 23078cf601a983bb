"""Searching as shoppers do: what the gateway answers to known and new queries, how soon, and without its worker."""

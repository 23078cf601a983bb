"""Searching as shoppers do: the gateway's answers to known and new queries, how fast, and without the search worker."""

"""How good the recommender is on public data, by every protocol, with several seeds."""

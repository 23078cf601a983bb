"""How good prices are: simulated shops with a known demand, and estimates from logged propensities."""

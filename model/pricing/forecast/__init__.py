"""Forecasting units by store, item and week at planned prices: accurate, and falling in the price by construction."""

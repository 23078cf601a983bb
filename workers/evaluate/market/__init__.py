"""Offline evaluation of the market analysis: forecasts of weekly demand."""

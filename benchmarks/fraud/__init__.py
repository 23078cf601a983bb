"""Fraud: how good the detector is, how fast orders are screened, and what a click farm gains."""

"""Fraud: what the detector is worth, how quickly orders are decided about, and what a click farm gains."""

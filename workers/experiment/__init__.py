"""Experiments: which shopper is in which arm, the outcomes, and the rollback of a canary."""

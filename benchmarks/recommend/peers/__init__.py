"""How long an epoch of RecTools' SASRec takes, and how good it gets, beside ours at the same size."""

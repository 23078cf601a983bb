"""The time of an epoch and the accuracy of RecTools' SASRec, next to ours at the same size."""

"""Learning and its verdicts: training on several devices, and experiments that are looked at all the time."""

"""Learning and its verdicts: training on several devices, and experiments that are checked continually."""

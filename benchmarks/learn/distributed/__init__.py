"""The same training on one device, on eight, and in two processes: speed, and whether the losses are equal."""

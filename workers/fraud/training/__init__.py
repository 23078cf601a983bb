"""Training the fraud detector: its data, the gate, publishing, drift."""

"""Training the detector of fraud: what it reads, the gate, publishing, drift."""

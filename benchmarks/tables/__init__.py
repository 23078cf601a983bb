"""Tables of figures in the documents, written from the result files so that the two cannot disagree."""

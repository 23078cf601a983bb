"""Published text encoders of the BERT family (MiniLM, BGE, E5 and the like), from a local folder.

`encoder.load(folder)` gives an encoder, `encoder.encode(texts)` unit vectors.
"""

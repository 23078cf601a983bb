"""A simulated shop: it uses the producer and the gateway as any shop does."""

"""A simulated shop: an ordinary user of the contract and of the gateway."""

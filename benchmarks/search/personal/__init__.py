"""Whether a shopper's taste helps to rank search results: in the simulated shop, where wishes are known."""

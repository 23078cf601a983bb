"""Whether a shopper's taste helps to order what a search finds: in the simulated shop, where wishes are known."""

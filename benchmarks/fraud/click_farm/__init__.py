"""What a click farm gains in the simulated shop, with and without bot detection, and whom that flags by mistake."""

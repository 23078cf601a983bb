"""What a click farm gains in the simulated shop, with the defence and without, and whom that flags by mistake."""

"""Rules: they decide about orders together with the model, or without it. Pure: the gateway uses them, too."""

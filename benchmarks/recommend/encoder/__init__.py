"""How fast a published text encoder is: titles and queries per second, on one thread."""

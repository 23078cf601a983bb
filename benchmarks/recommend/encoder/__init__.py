"""How fast a published encoder of text is: titles and queries a second, on one thread."""

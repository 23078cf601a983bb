"""Search: what it costs, how well it finds Chinese words and personal wishes, and how it answers over HTTP."""

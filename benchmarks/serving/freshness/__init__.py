"""How long until what happened shows: from enqueue to visible in the gateway's answer, everything on one machine."""

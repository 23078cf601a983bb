"""How long until an event becomes visible: from enqueue to the gateway's answer, with everything on one machine."""

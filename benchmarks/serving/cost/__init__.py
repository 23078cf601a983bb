"""The cost of one event, in milliseconds of CPU by process, with everything on one machine."""

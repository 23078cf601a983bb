"""The ledger: what one behaviour event costs, in milliseconds of CPU by process, everything on one machine."""

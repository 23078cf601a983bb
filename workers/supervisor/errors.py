"""What can go wrong when everything is started."""

from __future__ import annotations


class UpError(RuntimeError):
    """`reshelf up` could not start everything; the message says what, and where the log is."""

"""Errors that the training of every capability may raise."""

from __future__ import annotations


class NotEnoughData(ValueError):
    """There is too little data to learn from; says what is missing and how to provide it."""


class NothingToLearn(NotEnoughData):
    """No version is live yet, or nothing happened since it was trained; says what to do."""

"""Errors that the training of every capability may raise."""

from __future__ import annotations


class NotEnoughData(ValueError):
    """There is too little to learn from; says what is missing and how to bring it."""


class NothingToLearn(NotEnoughData):
    """No version serves yet, or nothing happened since it was trained; says what to do."""

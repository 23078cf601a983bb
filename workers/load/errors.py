"""Errors of loading a file.

LoadError
├── FileError      the file is absent or cannot be read as CSV or Parquet
└── ColumnError    the file lacks a column
"""


class LoadError(Exception):
    """A file cannot be loaded; says what was wrong, where, and what to do."""


class FileError(LoadError):
    """The file is absent, of an unknown kind, or broken."""


class ColumnError(LoadError):
    """The file lacks a column; names it and the ones that are there."""

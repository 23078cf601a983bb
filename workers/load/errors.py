"""Errors of loading a file.

LoadError
├── FileError        the file is absent, empty, or cannot be read as CSV or Parquet
│   └── EncodingError    its bytes do not say in which encoding they are
├── ColumnError      the file lacks a column
└── NoRowsError      not one of its lines can be loaded
"""


class LoadError(Exception):
    """A file cannot be loaded; says what was wrong, where, and what to do."""


class FileError(LoadError):
    """The file does not exist, is of an unknown kind, or is damaged."""


class EncodingError(FileError):
    """What the bytes say is too little to choose an encoding; names the ones that are possible."""


class ColumnError(LoadError):
    """The file lacks a column; names it and the ones that are there."""


class NoRowsError(LoadError):
    """Every line of the file was left out; names the reasons."""

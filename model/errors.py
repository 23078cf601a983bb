"""Errors that a caller of `model` may see.

ModelError
├── ConfigError     a preset, an option or a value that does not exist or cannot work
├── ArtifactError   saved weights that are absent, incomplete or altered
└── DataError       input arrays that contradict each other
"""


class ModelError(Exception):
    """The root of this package's errors."""


class ConfigError(ModelError):
    """A preset, option or value that does not exist or cannot work; names the nearest known one."""


class ArtifactError(ModelError):
    """Saved weights that are absent, incomplete or altered; names the folder and what to do."""


class DataError(ModelError):
    """Input arrays that contradict each other; names the array and the position."""

"""Field types that several messages share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

# NUL is the one character that a Postgres text cannot hold; the rest of the control range only ever comes from a bug.
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Time = Annotated[datetime, msgspec.Meta(tz=True)]

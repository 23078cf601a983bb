"""Settings: the only reader of the environment.

Every setting is an environment variable `RESHELF_<NAME>`. A value that cannot be parsed, or an unknown variable, is a
`SettingsError` that names the variable and the fix. Values that `reshelf up` chose (ports, passwords of the embedded
servers) are read from `<home>/run.json` while it runs; the environment wins.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

PREFIX = "RESHELF_"
RUN_FILE = "run.json"


class SettingsError(ValueError):
    """A `RESHELF_` variable is unknown or has a value that cannot be used."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be configured, with its default. Times are in seconds unless the name says so."""

    home: Path = Path(".reshelf")
    """Folder of the embedded servers, models, logs and caches."""
    data: Path | None = None
    """Folder of public data sets for tests and benchmarks."""
    database_url: str | None = None
    """PostgreSQL with pgvector, e.g. postgresql://user:secret@host/reshelf. Empty: the embedded server."""
    broker_url: str | None = None
    """Redis, e.g. redis://:secret@host:6379/0. Empty: the embedded server."""

    gateway_host: str = "127.0.0.1"
    gateway_port: int = 8080
    gateway_workers: int = 1
    gateway_tls_certificate: Path | None = None
    """File with the gateway's certificate and those of its issuers (PEM). Empty: HTTP without TLS."""
    gateway_tls_key: Path | None = None
    """File with the certificate's private key (PEM)."""
    flower_host: str = "127.0.0.1"
    flower_port: int = 5555
    flower_basic_auth: str | None = None
    """`name:password`; required when Flower listens beyond loopback."""
    api_keys: str | None = None
    """Comma-separated keys that may do everything, beside those of `reshelf keys`."""
    open_on_loopback: bool = False
    """Whether the gateway asks for no key. Only where it listens on loopback."""
    allowed_hosts: str | None = None
    """Comma-separated host names to which the gateway answers, beside loopback and the address it listens on."""
    allowed_origins: str | None = None
    """Comma-separated origins, e.g. https://shop.example, whose pages may send events with a key of that scope."""
    privacy_secret: str | None = None
    """Secret by which erased people are recognised. Empty: the file `privacy-secret` of the home folder."""
    publish: str = "127.0.0.1"
    """Address on which compose.yaml publishes gateway and Flower. Beyond loopback its default secrets are refused."""
    metrics_port: int = 9808
    """First port on which worker processes serve Prometheus metrics (taken ports are stepped around)."""

    preset: str = "small"
    """Model preset that `reshelf train` uses."""
    kind_weights: str | None = None
    """JSON object, event kind to weight, which overrides weights of the preset."""
    first_training_shoppers: int = 100
    """Shoppers with three events each from whom the first model is learnt, unasked; 0: never."""
    finetune_events: int = 10_000
    """New events after which the live model is fine-tuned on them; 0: never because of their number."""
    finetune_hours: float = 24.0
    """Hours after which it is fine-tuned on fewer events; 0: never because of the time."""
    drift_window_hours: float = 24.0
    """Hours of events on which the live model is measured, every hour; 0: never."""
    drift_alert: float = 0.2
    """How much of its gate's NDCG@10 the live model may lose before there is an alert, as a share."""
    actors_window_hours: float = 168.0
    """Hours of events by which bots are detected, as events come in; 0: never."""
    train_cpus: int = 0
    """Processor cores that the training worker may use; 0 is half of them."""
    train_memory_gb: float = 0.0
    """Memory that the training worker may use, in GiB; 0 sets no limit. A training that needs more fails."""
    coordinator: str | None = None
    """HOST:PORT of process 0 of a group of processes that train together. Empty: a single process."""
    processes: int = 1
    """How many processes the group has."""
    process: int = 0
    """Which of them this one is; 0 leads."""
    process_timeout: int = 60
    """Seconds after which a silent process of the group counts as dead, and the others end."""
    ranking_depth: int = 120
    """Items kept per ranking: enough for pages up to the hundredth item after some are sold out."""
    explained: int = 20
    """Items of each ranking that carry the history item that moved them most; 0 turns it off."""
    repeat_policy: str = "hide_purchased"
    """What `home` leaves out: `hide_purchased`, `hide_seen` (anything touched) or `show_all`."""
    popular_half_life_days: float = 7.0
    popular_window_days: float = 60.0
    event_retention_days: int = 730
    """Monthly event partitions older than this, measured from the newest event, are dropped."""
    model_retention: int = 10
    """The newest model versions whose weights are kept; the live one and those before it are kept anyway."""

    fraud: bool = True
    """Whether orders are screened: false runs no fraud worker, and the gateway takes no orders."""
    screen_deadline_ms: int = 35
    """How long a request waits for the model; then only the rules decide."""
    screen_fallback: str = "approve"
    """The decision about an order to which no rule applies while the model does not answer.

    `approve` is to fail open, `review` or `decline` to fail closed.
    """
    fraud_preset: str = "default"
    """Preset of the fraud detector: `default`, `network`, `trees` or `tiny`."""
    fraud_label_days: int = 7
    """Days after which an order without a label counts as genuine."""
    fraud_update_labels: int = 200
    """New labels after which the live detector is updated; 0: never because of their number."""
    fraud_update_hours: float = 24.0
    """Hours after which it is updated with fewer labels; 0: never because of the time."""
    search: bool = True
    """Whether a search worker runs, with the catalogue in memory; without one, PostgreSQL answers searches."""
    search_deadline_ms: int = 150
    """How long a search waits for that worker before it is answered from PostgreSQL."""
    search_synonyms: Path | None = None
    """File with the shop's own synonyms, one line each: `fridge, refrigerator` or `xmas => christmas`."""
    search_train_changes: int = 5_000
    """New items and new searches with a click, together, after which search is trained again; 0: never."""
    search_train_hours: float = 24.0
    """Hours after which it is trained again with fewer of them; 0: never because of the time."""

    pricing: bool = False
    """Whether prices are proposed and, where they are approved, changed."""
    pricing_hours: float = 24.0
    """Hours between two looks at all prices."""
    pricing_queue: str | None = None
    """Queue to which changed prices are sent, as the Celery task `reshelf.pricing.changed`."""
    pricing_webhook: str | None = None
    """Address to which changed prices are posted as JSON."""

    market: bool = True
    """Whether the market is analysed: what sells, what goes together, who buys."""
    market_hours: float = 24.0
    """Hours after which it is analysed again, if something was bought since; 0: only by hand."""

    refresh_batch: int = 128
    """Most shoppers or items that one refresh claims: more share a transaction, but use the cores longer."""
    refresh_pause_ms: int = 40
    """How long a refresh waits before it claims, so that more events share one batch."""
    background_share: float = 0.5
    """The share of a worker's time for shelves that are due only because of another model; above 0, up to 1."""
    shelves_every: float = 5.0
    """How often to check whether the popular and segment shelves are to be computed.

    Expensive ones are computed less often.
    """
    lease: float = 20.0
    """Seconds after which a claimed row that is not done may be claimed again: longer than any batch takes."""
    max_attempts: int = 5
    """Attempts after which a due row goes to the dead letters."""
    reconcile_every: float = 5.0
    """Interval of the reconciler, which rings for whatever is due."""
    visibility_timeout: int = 10
    """Seconds after which a worker that renews nothing counts as dead, and its messages go to another one."""


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from `environ` (default: the process's own), over those that `reshelf up` wrote.

    Raises `SettingsError` for an unknown `RESHELF_` variable or a value of the wrong type.
    """
    variables = os.environ if environ is None else environ
    given = {name: value for name, value in variables.items() if name.startswith(PREFIX) and value != ""}
    chosen: dict[str, Any] = {_field_of(name): value for name, value in given.items()}
    home = Path(chosen.get("home", Settings().home))
    return _convert(_running(home) | chosen)


def run_file(settings: Settings) -> Path:
    """Return the path of the file in which `reshelf up` stores what it chose."""
    return settings.home / RUN_FILE


def model_folder(home: Path, version: str) -> Path:
    """Return the folder of the weights of a model version."""
    return home.absolute() / "models" / version


def to_environ(settings: Settings) -> dict[str, str]:
    """Return the variables that make a child process load exactly these settings."""
    values = msgspec.to_builtins(settings, enc_hook=str)
    return {PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None}


def weights(settings: Settings) -> dict[str, float]:
    """Return the configured weights of event kinds, empty if only the preset's apply.

    Raises `SettingsError` if `RESHELF_KIND_WEIGHTS` is not a JSON object of numbers.
    """
    if settings.kind_weights is None:
        return {}
    try:
        return msgspec.json.decode(settings.kind_weights, type=dict[str, float])
    except msgspec.DecodeError as error:
        raise SettingsError(
            f'RESHELF_KIND_WEIGHTS must be a JSON object such as {{"purchase": 3.0, "view": 0.3}}: {error}'
        ) from error


def _field_of(variable: str) -> str:
    known = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    if variable in known:
        return known[variable]
    nearest = difflib.get_close_matches(variable, known, n=1, cutoff=0.0)[0]
    raise SettingsError(f"unknown setting {variable}: did you mean {nearest}?")


def _running(home: Path) -> dict[str, Any]:
    path = home / RUN_FILE
    if not path.exists():
        return {}
    try:
        written = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise SettingsError(f"{path} is damaged ({error}): delete it and start `reshelf up` again") from error
    if not _lives(written.get("pid")):
        return {}
    return {name: value for name, value in written.items() if name in Settings.__struct_fields__}


def _lives(pid: object) -> bool:
    """Return whether the process that wrote the run file runs; without a process id, return True."""
    if not isinstance(pid, int):
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _convert(values: dict[str, Any]) -> Settings:
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        reason, _, field = str(error).partition(" - at `$.")
        variable = PREFIX + field.rstrip("`").upper()
        raise SettingsError(f"{variable}={values.get(field.rstrip('`'))!r}: {reason}") from error


def _to_path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)

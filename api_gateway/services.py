"""The composition root: builds the services of the routes, and closes them at the end."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Litestar, Request
from litestar.datastructures import State
from sqlalchemy.ext.asyncio import AsyncEngine

from api_gateway import database
from api_gateway.background import periodic
from api_gateway.background.circuit_breaker import CircuitBreaker
from api_gateway.background.doorbell import BackgroundDoorbell, Bell
from api_gateway.background.listener import Listener
from api_gateway.background.usage import Usage
from api_gateway.database import Pool
from api_gateway.experiment.service import Following, Reports
from api_gateway.fraud.rules_follower import RulesFollower
from api_gateway.http.metrics import Metrics
from api_gateway.intake.writers import Writers
from api_gateway.keys.key_table import KeyTable
from api_gateway.operations.progress import Progress
from api_gateway.privacy.erased_follower import ErasedFollower
from storage.events import histories
from workers import heartbeat
from workers.canonical import countries
from workers.fraud.rules import rules
from workers.settings import Settings, SettingsError


@dataclass(frozen=True)
class Services:
    """The services of the routes, for as long as the application runs."""

    settings: Settings
    pool: Pool
    engine: AsyncEngine
    writers: Writers
    doorbell: BackgroundDoorbell
    metrics: Metrics
    hidden_kinds: Sequence[str]
    following: Following
    reports: Reports
    listener: Listener
    rules: RulesFollower
    circuit_breaker: CircuitBreaker
    usage: Usage
    progress: Progress
    erased: ErasedFollower


def from_request(request: Request[Any, Any, State]) -> Services:
    """Return the services of the request's application."""
    found: Services = request.app.state.services
    return found


def check(settings: Settings) -> None:
    """Raise `SettingsError` for settings with which the gateway cannot serve."""
    if settings.database_url is None:
        raise SettingsError("RESHELF_DATABASE_URL is not set: start the embedded servers with `reshelf up`, or set it")
    if settings.repeat_policy not in histories.HIDDEN_KINDS:
        raise SettingsError(
            f"RESHELF_REPEAT_POLICY={settings.repeat_policy!r} is none of {', '.join(histories.HIDDEN_KINDS)}"
        )
    if settings.screen_fallback not in rules.DECISIONS:
        raise SettingsError(
            f"RESHELF_SCREEN_FALLBACK={settings.screen_fallback!r} is none of {', '.join(rules.DECISIONS)}"
        )


def running(
    settings: Settings, metrics: Metrics, keys: KeyTable, bell: Bell | None
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """Return the lifespan that puts the services into the application's state."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        assert settings.database_url is not None  # `check` requires it
        engine = database.writing_engine(settings.database_url)
        background_doorbell = BackgroundDoorbell(bell or doorbell(settings))
        if settings.fraud:  # no order is to wait until the names of countries are read
            threading.Thread(target=countries.warm, name="countries", daemon=True).start()
        async with database.pool(settings.database_url) as pool:
            following = Following(pool)
            listener = Listener(settings.database_url)
            active_rules = RulesFollower(pool)
            usage = Usage(pool)
            erased = ErasedFollower(pool, settings)
            app.state.services = Services(
                settings=settings,
                pool=pool,
                engine=engine,
                writers=Writers(database.WRITERS),
                doorbell=background_doorbell,
                metrics=metrics,
                hidden_kinds=histories.HIDDEN_KINDS[settings.repeat_policy],
                following=following,
                reports=Reports(engine),
                listener=listener,
                rules=active_rules,
                circuit_breaker=CircuitBreaker(),
                usage=usage,
                progress=Progress(pool),
                erased=erased,
            )
            try:
                async with (
                    keys.kept_up(pool),
                    following.kept_up(),
                    active_rules.kept_up(),
                    erased.kept_up(),
                    listener.open(),
                    usage.kept(),
                    _beating(settings.home),
                ):
                    yield
            finally:
                await background_doorbell.close()
                await engine.dispose()

    return lifespan


def _beating(home: Path) -> AbstractAsyncContextManager[None]:
    """Say that this process's event loop runs, for as long as the block does."""
    path = heartbeat.file(home, "gateway")

    async def beat() -> None:
        heartbeat.beat(path)

    return periodic.running(beat, every=heartbeat.EVERY_SECONDS)


def doorbell(settings: Settings) -> Bell | None:
    """Return the doorbell of the workers, None without a broker."""
    if settings.broker_url is None:
        return None
    from workers import capabilities
    from workers.doorbell import Doorbell  # imports Celery, which only a running gateway needs

    return Doorbell(settings.broker_url, capabilities.RINGS)

"""What the tests run on: a real PostgreSQL and a real Redis, started once, with a fresh database for each test."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

import workers.declaring  # noqa: F401  as in every worker
from storage import engine, migrate
from storage.embedded import postgres, servers
from storage.embedded.servers import Servers

# `make test` uses the profile `ci` of Hypothesis. On a busy machine, any example may take long.
hypothesis.settings.register_profile("fuzz", deadline=None)

_FUSED_LOOPS = "xla_cpu_use_fusion_emitters"

os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Every process that the tests start compiles the same programs: let the first do it for all, the small ones too.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="reshelf-tests-jax-")
    atexit.register(shutil.rmtree, os.environ["JAX_COMPILATION_CACHE_DIR"], ignore_errors=True)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
# Tests compile many programs and run each briefly: half the time to compile is worth more than quick programs.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")
# Half of what is left goes into fused loops, which without optimisations run no quicker for it.
os.environ.setdefault("XLA_FLAGS", f"--{_FUSED_LOOPS}=false")
# LightGBM's threads wait for each other in a loop: on a busy machine a second one makes it slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def full_compilation() -> Iterator[None]:
    """Programs as they serve, for tests of every bit of a result."""
    import jax
    from jax._src import compiler

    before = jax.config.values["jax_disable_most_optimizations"]
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", False)
    # XLA reads its flags once in a process; only JAX's own way to the compiler takes one back.
    options = compiler.get_compile_options

    def as_they_serve(*given: Any, env_options_overrides: Any = None, **named: Any) -> Any:
        return options(*given, env_options_overrides={_FUSED_LOOPS: True} | (env_options_overrides or {}), **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(compiler, "get_compile_options", as_they_serve)
        yield
    jax.clear_caches()
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="session")
def embedded() -> Iterator[Servers]:
    """The two servers; killed and started again by fault tests only through servers of their own.

    They do not wait for the disk, so that a database is made and dropped in a third of the time. No test takes the
    power away from them: what a killed process has written is there without waiting, too.
    """
    with tempfile.TemporaryDirectory(prefix="reshelf-tests-") as home:
        postgres.prepare(Path(home))
        with (Path(home) / "postgres" / "local.conf").open("a") as settings:
            settings.write("fsync = off\nfull_page_writes = off\n")
        with servers.running(Path(home)) as running:
            yield running


@pytest.fixture(scope="session")
def _template(embedded: Servers) -> str:
    """A migrated database that the others are copied from."""
    _administer(embedded, "CREATE DATABASE migrated")
    migrate.upgrade(_named(embedded, "migrated"))
    return "migrated"


@pytest.fixture(scope="session")
def fresh_database(embedded: Servers, _template: str) -> Callable[[], AbstractContextManager[str]]:
    """Return a function that yields a migrated database, which is gone at the end of its block."""

    @contextmanager
    def made() -> Iterator[str]:
        name = f"test_{uuid.uuid4().hex[:12]}"
        _administer(embedded, f"CREATE DATABASE {name} TEMPLATE {_template}")
        yield _named(embedded, name)
        _administer(embedded, f"DROP DATABASE {name} WITH (FORCE)")

    return made


@pytest.fixture
def database_url(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """A migrated database of the test's own."""
    with fresh_database() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Engine]:
    """An engine on the test's own database."""
    connected = engine.connect(database_url)
    yield connected
    connected.dispose()


@pytest.fixture(scope="session")
def fresh_broker(embedded: Servers) -> Callable[[], str]:
    """Return a function that empties the Redis and returns its address."""

    def emptied() -> str:
        with Redis.from_url(embedded.broker) as redis:
            redis.flushall()
        return embedded.broker

    return emptied


@pytest.fixture
def broker_url(fresh_broker: Callable[[], str]) -> str:
    """An empty Redis."""
    return fresh_broker()


def _named(embedded: Servers, name: str) -> str:
    url = engine.url_for(embedded.database, "psycopg").set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


def _administer(embedded: Servers, statement: str) -> None:
    administrator = create_engine(
        engine.url_for(embedded.database, "psycopg"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with administrator.connect() as connection:
        connection.execute(text(statement))

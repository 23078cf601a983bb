"""`reshelf up`: run everything on this machine, in the foreground or in the background."""

from __future__ import annotations

import os

import click
import msgspec
from rich.console import Console
from rich.status import Status

from storage.embedded.server import EmbeddedError
from workers import exposure
from workers import settings as configuration
from workers.keys import local
from workers.settings import Settings
from workers.supervisor import processes, run_file, supervise
from workers.supervisor.errors import UpError
from workers.supervisor.installation import Installation, InstallationError


@click.command()
@click.option("-d", "--detach", "--wait", "detach", is_flag=True, help="Return when everything is ready.")
@click.option("--timeout", default=180.0, show_default=True, help="Seconds to wait until everything is ready.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(processes.NAMES),
    help="Start only this program; may be given several times.",
)
def up(detach: bool, timeout: float, only: tuple[str, ...]) -> None:
    """Start PostgreSQL, Redis, the workers, the scheduler, the gateway and Flower.

    Without RESHELF_DATABASE_URL and RESHELF_BROKER_URL it runs its own servers in RESHELF_HOME. Ctrl-C stops
    everything, and so does `reshelf down` in another shell.
    """
    # What everything writes from here on, logs too, is for its owner alone.
    os.umask(0o077)
    settings = _settings()
    console = Console(stderr=True, highlight=False)
    try:
        with console.status("starting") as spinner:
            if detach:
                _in_background(settings, only, timeout, console)
            else:
                _in_foreground(settings, only, timeout, console, spinner)
    except run_file.AlreadyRunning as error:
        raise click.ClickException(f"{error}{_where(settings)}") from error
    except (UpError, InstallationError, EmbeddedError) as error:
        raise click.ClickException(str(error)) from error


def _settings() -> Settings:
    """Return the settings without what an earlier run chose, and with an absolute home folder."""
    home = configuration.load().home.absolute()
    if not run_file.is_held(home):
        (home / configuration.RUN_FILE).unlink(missing_ok=True)
    settings = configuration.load()
    # The programs run in the home folder.
    return msgspec.structs.replace(
        settings,
        home=home,
        gateway_tls_certificate=settings.gateway_tls_certificate and settings.gateway_tls_certificate.absolute(),
        gateway_tls_key=settings.gateway_tls_key and settings.gateway_tls_key.absolute(),
    )


def _in_foreground(
    settings: Settings, only: tuple[str, ...], timeout: float, console: Console, spinner: Status
) -> None:
    before = local.read(settings.home)

    def tell(line: str) -> None:
        console.print(line, markup=False)

    def ready(chosen: Settings, missing: list[str]) -> None:
        spinner.stop()
        _report(chosen, only, missing, timeout, console)
        # What is no terminal is a log, and a log is no place for a key.
        _tell_key(chosen, before, console, is_shown=console.is_terminal)
        if not missing:
            console.print("Ctrl-C stops everything.")

    supervise.run(settings, only, tell=tell, ready=ready, timeout=timeout)


def _in_background(settings: Settings, only: tuple[str, ...], timeout: float, console: Console) -> None:
    if run_file.is_held(settings.home):
        raise run_file.AlreadyRunning(settings.home, run_file.holder(settings.home))
    before = local.read(settings.home)
    installation = Installation(settings.home)
    missing = installation.bring_up(only, timeout=timeout)
    _report(installation.settings, only, missing, timeout, console)
    _tell_key(installation.settings, before, console, is_shown=True)
    if missing:
        raise SystemExit(1)


def _report(chosen: Settings, only: tuple[str, ...], missing: list[str], timeout: float, console: Console) -> None:
    if missing:
        console.print(f"[red]not ready after {timeout:.0f} s[/red]; logs are in {chosen.home / 'logs'}")
        for line in missing:
            console.print(f"  {line}", markup=False)
        return
    console.print(f"[green]ready[/green] in {chosen.home}")
    if not only or "gateway" in only:
        console.print(f"  gateway  {exposure.gateway_url(chosen)}  (documentation: /schema)")
    if not only or "flower" in only:
        console.print(f"  flower   {exposure.flower_url(chosen)}")
    console.print(f"  logs     {chosen.home / 'logs'}")


def _tell_key(chosen: Settings, before: str | None, console: Console, *, is_shown: bool) -> None:
    """Print the key of the folder once, when it was made; say loudly where none is needed."""
    if chosen.open_on_loopback:
        console.print("[bold red]open[/bold red]: RESHELF_OPEN_ON_LOOPBACK lets every program of this machine in")
        return
    made = local.read(chosen.home)
    if made is None or made == before:
        return
    file = local.path(chosen.home)
    if is_shown:
        console.print(f"  key      {made}", markup=False, soft_wrap=True)
        console.print(f"           shown this once, and kept in {file}", markup=False, soft_wrap=True)
    else:
        console.print(f"  key      in {file}", markup=False, soft_wrap=True)


def _where(settings: Settings) -> str:
    chosen = configuration.load({configuration.PREFIX + "HOME": str(settings.home)})
    url = exposure.gateway_url(chosen)
    return f"; its gateway is {url}. `reshelf status` shows it, `reshelf down` stops it"

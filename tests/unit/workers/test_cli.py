"""The `reshelf` command: light to look at, and its errors can be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reshelf import tasks
from storage.embedded import launch
from workers import capabilities, cli, exposure
from workers.commands.operate import health, status, worker
from workers.settings import Settings, SettingsError
from workers.supervisor import control, processes, run_file, supervise, supervisord
from workers.supervisor import status as supervisor_status
from workers.supervisor.control import Process
from workers.supervisor.errors import UpError
from workers.supervisor.status import Report


def reshelf(*arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RESHELF_")}
    return subprocess.run(
        processes.reshelf_command(*arguments),
        env=clean | {"RESHELF_HOME": str(home)} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom workers.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'jax', 'flax', 'sqlalchemy', 'celery', 'rich', 'supervisor', 'uvicorn', 'psutil'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in cli.COMMANDS:
        assert f"\n  {name} " in done.stdout


@pytest.mark.parametrize(
    "name", ["up", "down", "status", "models", "worker", "beat", "gateway", "flower", "migrate", "health"]
)
def test_every_command_explains_itself(name: str) -> None:
    done = CliRunner().invoke(cli.main, [name, "--help"])
    assert done.exit_code == 0
    assert f"{name} [OPTIONS]" in done.output


def test_a_wrong_setting_is_one_line_and_exit_status_2(tmp_path: Path) -> None:
    done = reshelf("status", home=tmp_path, RESHELF_GATEWAY_PROT="1")
    assert done.returncode == 2
    assert done.stderr == "Error: unknown setting RESHELF_GATEWAY_PROT: did you mean RESHELF_GATEWAY_PORT?\n"


def test_migrate_without_a_database_says_what_to_do(tmp_path: Path) -> None:
    done = reshelf("migrate", home=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "Error: no database: start `reshelf up`, or set RESHELF_DATABASE_URL\n"


def test_migrate_with_a_dead_database_is_one_line(tmp_path: Path) -> None:
    done = reshelf("migrate", home=tmp_path, RESHELF_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the database does not answer: ")
    assert "Traceback" not in done.stderr


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    done = CliRunner().invoke(cli.main, ["gateway"])
    assert done.exit_code == 1
    assert done.output == "Error: `reshelf gateway` needs the package uvicorn: pip install 'reshelf-server[gateway]'\n"


def test_status_of_nothing_has_exit_status_3(tmp_path: Path) -> None:
    done = reshelf("status", "--json", home=tmp_path)
    assert done.returncode == 3
    assert json.loads(done.stdout)["state"] == "stopped"


def test_status_says_which_server_does_not_answer(tmp_path: Path) -> None:
    done = reshelf(
        "status",
        home=tmp_path,
        RESHELF_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x",
        RESHELF_BROKER_URL="redis://127.0.0.1:1/0",
    )
    assert done.returncode == 3
    assert "! Redis: " in done.stdout
    assert "! database: " in done.stdout


def test_down_where_nothing_runs_is_no_error(tmp_path: Path) -> None:
    done = reshelf("down", home=tmp_path)
    assert done.returncode == 0
    assert "nothing runs in" in done.stderr


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ([], supervisor_status.STOPPED),
        (["RUNNING", "RUNNING"], supervisor_status.RUNNING),
        (["RUNNING", "STARTING"], supervisor_status.RUNNING),
        (["RUNNING", "BACKOFF"], supervisor_status.DEGRADED),
        (["RUNNING", "FATAL"], supervisor_status.DEGRADED),
        (["STOPPED"], supervisor_status.DEGRADED),
    ],
)
def test_one_program_that_is_down_makes_the_whole_degraded(states: list[str], state: str) -> None:
    found = [Process("beat", one, None, None, None, "") for one in states]
    assert Report(home="", gateway="", processes=found).state == state


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h 0 min"), (12000, "3 h 20 min"), (200000, "2 d 7 h")],
)
def test_durations_are_said_as_a_person_says_them(seconds: float, said: str) -> None:
    assert status.duration(seconds) == said


def test_the_workers_take_every_queue_exactly_once() -> None:
    taken = [queue for kind in worker.KINDS.values() for queue in kind.queues]
    read = [tasks.INTAKE_QUEUE for kind in worker.KINDS.values() if kind.reads]  # beside what Celery takes
    assert sorted(taken + read) == sorted(capabilities.QUEUES)
    assert {f"worker-{name}" for name in worker.KINDS} < set(processes.NAMES)
    assert set(health.PROGRAMS) < set(processes.NAMES)


def test_celery_understands_the_worker_command_lines() -> None:
    from celery.bin.celery import celery

    for name in worker.KINDS:
        first, *rest = worker.arguments(name)
        with click.Context(celery) as group:
            command = celery.get_command(group, first)
            assert command is not None
            _, left, _ = command.make_parser(click.Context(command)).parse_args(list(rest))
        assert left == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])
def test_nothing_listens_beyond_this_machine_without_a_password(host: str) -> None:
    with pytest.raises(SettingsError, match="RESHELF_OPEN_ON_LOOPBACK"):
        exposure.check_gateway(Settings(gateway_host=host, open_on_loopback=True))
    with pytest.raises(SettingsError, match="RESHELF_FLOWER_BASIC_AUTH"):
        exposure.check_flower(Settings(flower_host=host))
    exposure.check_gateway(Settings(gateway_host=host))
    exposure.check_flower(Settings(flower_host=host, flower_basic_auth="name:password"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_password(host: str) -> None:
    exposure.check_gateway(Settings(gateway_host=host, open_on_loopback=True))
    exposure.check_flower(Settings(flower_host=host))


def test_a_flower_password_without_a_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="name:password"):
        exposure.check_flower(Settings(flower_basic_auth="secret"))


@pytest.mark.parametrize(
    ("host", "local"), [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("127.0.0.2", "127.0.0.2")]
)
def test_this_machine_reaches_a_server_that_listens_everywhere(host: str, local: str) -> None:
    assert exposure.local(host) == local


def test_a_deep_home_gets_a_short_socket_in_a_private_folder(tmp_path: Path) -> None:
    assert control.socket_path(tmp_path) == tmp_path / "supervisor.sock"
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    socket = control.socket_path(deep)
    assert len(str(socket)) < control.LONGEST_SOCKET
    assert socket == control.socket_path(deep)
    assert socket != control.socket_path(deep / "other")
    for used in (socket, control.socket_path(deep / "other")):
        assert used.parent.stat().st_mode & 0o077 == 0
        used.parent.rmdir()


def test_a_home_is_held_by_one_and_released_at_the_end(tmp_path: Path) -> None:
    assert not run_file.is_held(tmp_path)
    with run_file.hold(tmp_path):
        assert run_file.is_held(tmp_path)
        assert run_file.holder(tmp_path) == os.getpid()
        with pytest.raises(run_file.AlreadyRunning, match=f"process {os.getpid()}"), run_file.hold(tmp_path):
            pass
    assert not run_file.is_held(tmp_path)


def test_the_supervisor_configuration_holds_no_secret_and_survives_odd_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supervisor.options import ServerOptions

    home = tmp_path / "50% off, the 'home'"
    (home / "logs").mkdir(parents=True)
    settings = Settings(home=home, database_url="postgresql://u:secret@h/d", broker_url="redis://:secret@h/0")
    plan = supervise.plan(settings, (), lambda line: None)
    text = supervisord.configuration(plan.settings.home, plan.socket, plan.programs)
    assert "secret" not in text
    (home / "supervisord.conf").write_text(text)

    monkeypatch.chdir(home)
    options = ServerOptions()
    options.realize(["--configuration", str(home / "supervisord.conf")])
    found = {program.name: program for group in options.process_group_configs for program in group.process_configs}
    assert set(found) == set(processes.NAMES) - {"postgres", "redis"}
    assert all(
        Path(program.stdout_logfile).absolute() == home / "logs" / f"{name}.log" for name, program in found.items()
    )
    assert options.serverurl == f"unix://{control.socket_path(home)}"
    assert not any(program.autostart for program in found.values())


def test_a_home_that_the_supervisor_would_misread_is_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "a #1 home", database_url="postgresql://h/d", broker_url="redis://h/0")
    plan = supervise.plan(settings, (), lambda line: None)
    with pytest.raises(UpError, match="must not contain"):
        supervisord.configuration(plan.settings.home, plan.socket, plan.programs)


def test_a_user_may_walk_through_open_folders_only(tmp_path: Path) -> None:
    stranger = 54321
    assert launch.reachable(Path("/usr/bin/env"), stranger)
    tmp_path.chmod(0o700)
    assert not launch.reachable(tmp_path / "data", stranger)
    assert not launch.reachable(tmp_path / "data", os.getuid()) or os.getuid() == tmp_path.stat().st_uid

"""`./lab ...`: one function a subcommand. The one place that prints to a terminal."""

import argparse
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from monlab.files import read_text
from monlab.problem import LabProblem, nearest
from monlab.settings import Settings, be_strict, resolve_paths, settings
from monlab.stack import doctor as doctor_of
from monlab.stack import engines, lab, month, secrets, servers
from monlab.stack.display import Screen
from monlab.stack.servers import golang
from monlab.workbook import workspace
from monlab.workbook.modules import module, modules

INTERRUPTED = 130
console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)


def open_lab(config: Settings, arguments: argparse.Namespace) -> int:
    """JupyterLab in the learner's workspace, on the start page."""
    for line in workspace.sync(config):
        console.print(line)
    _keep_jupyterlab_quiet()
    folder = config.workspace
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
        "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb",
    ]
    if os.geteuid() == 0:
        command.append("--allow-root")
    if arguments.no_browser:
        command.append("--no-browser")
    if arguments.port:
        command.append(f"--port={arguments.port}")
    try:
        code = subprocess.run(command, cwd=folder, check=False).returncode
    except KeyboardInterrupt:
        code = 0
    running = [state.name for state in lab.status().states]
    if running:
        console.print(f"Still running: {', '.join(running)}. `./lab down` ends them; the next `./lab` finds them again.")
    return code


def _keep_jupyterlab_quiet() -> None:
    """Switches off JupyterLab's news and update checks in this environment: the lab talks to no outside network."""
    page = Path(sys.prefix) / "etc" / "jupyter" / "labconfig" / "page_config.json"
    if not page.exists():
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(json.dumps({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}), "utf-8")


def up(config: Settings, arguments: argparse.Namespace) -> int:
    """Start what a module needs, and wait until it answers."""
    console.print(lab.up(*arguments.module))
    return 0


def down(config: Settings, arguments: argparse.Namespace) -> int:
    """End what only this module uses; without a module, everything of this clone."""
    console.print(lab.down(*arguments.module))
    return 0


def status(config: Settings, arguments: argparse.Namespace) -> int:
    """What runs now."""
    view = lab.status()
    if arguments.json:
        print(json.dumps({"engine": view.engine, "services": [dataclasses.asdict(state) for state in view.states]}, indent=1))
    else:
        console.print(view)
        console.print(f"Engine: {view.engine}. Resident memory: {sum(s.rss_bytes for s in view.states) >> 20} MB.")
    return 0


def logs(config: Settings, arguments: argparse.Namespace) -> int:
    """The last lines a service printed."""
    print(lab.logs(arguments.service, arguments.lines))
    return 0


def run(config: Settings, arguments: argparse.Namespace) -> int:
    """Execute a module's lesson, exercises or solutions against its servers; one line a section, then a verdict.

    In solutions every check must say right.
    """
    from monlab.workbook.run import run as run_notebook

    lesson = arguments.kind == "lesson"
    chosen = module(arguments.module, config, tasks=not lesson)
    profiles = [chosen.id, *chosen.also] if lesson else list(chosen.tasks)
    needed = doctor_of.servers_of(profiles, config, tools=False) if profiles else []
    if arguments.kind == "solutions":
        be_strict()
    start = time.monotonic()
    engine = lab.engine_for(*profiles)
    got = _fetch(needed, config) if engine == "native" else f"engine: {engine}"
    servers_seconds = time.monotonic() - start
    start = time.monotonic()
    if needed:
        console.print(lab.up(*(profiles[:1] if lesson else profiles)))
    stack_seconds = time.monotonic() - start
    outcome = run_notebook(chosen, config, lambda line: console.print(line), arguments.kind)
    total = config.environment_seconds + servers_seconds + stack_seconds + outcome.seconds
    console.print(
        f"environment {config.environment_seconds:.0f} s · servers {servers_seconds:.0f} s ({got}) · stack {stack_seconds:.1f} s · "
        f"notebook {outcome.seconds:.0f} s · together {total:.0f} s"
    )
    console.print(f"The executed notebook: {outcome.notebook}")
    name = chosen.id if lesson else f"{chosen.id} {arguments.kind}"
    if outcome.passed:
        console.print(f"{name} passed.")
        return 0
    console.print(f"{name} failed: {outcome.problem}")
    return 1


def build(config: Settings, arguments: argparse.Namespace) -> int:
    """Make notebooks/, exercises/ and solutions/ from course/; with --check, only say what differs."""
    from monlab.workbook import build as builder  # notebook libraries take two seconds to load: only where they are used
    from monlab.workbook import lint as linting

    complaints = [line for found in modules(config) if found.ready for line in linting.lint(found)]
    for line in complaints:
        console.print(line)
    if arguments.check:
        different = builder.differing(config)
        for name in different:
            console.print(f"{name} is not what course/ makes: run `./lab build` and commit the result.")
        return 1 if different or complaints else 0
    changed = builder.write(config)
    console.print("\n".join(f"wrote {name}" for name in changed) or "Every notebook is what course/ makes.")
    return 1 if complaints else 0


def freeze(config: Settings, arguments: argparse.Namespace) -> int:
    """Run the frozen cells and keep their outputs, then build. Starts the archived month for those that ask it."""
    from monlab.workbook.freeze import freeze as freeze_module

    chosen = [module(name, config) for name in arguments.module] or [found for found in modules(config) if found.ready]
    for found in chosen:
        if found.asked:
            console.print(lab.up(*found.asked))
        console.print(f"{found.id}: {freeze_module(found)} frozen cells")
    return build(config, argparse.Namespace(check=False))


def coverage(config: Settings, arguments: argparse.Namespace) -> int:
    """Which ids of the curriculum no cell or file covers."""
    from monlab.workbook import coverage as covering

    result = covering.coverage(config)
    ready = {found.id for found in modules(config) if found.ready}
    for line in result.complaints:
        console.print(line)
    gaps = [item for item in result.gaps if arguments.all or item.module in ready]
    for item in gaps:
        console.print(f"{item.id:8} {item.kind:8} {item.title}")
    total = len(covering.curriculum(config))
    console.print(
        f"{total} ids: {len(result.covered)} covered, {len(result.left_out)} left out, {len(result.gaps)} open, "
        f"{len([item for item in result.gaps if item.module in ready])} of them in modules that are ready."
    )
    return 1 if result.complaints or any(item.module in ready for item in result.gaps) else 0


def gate(config: Settings, arguments: argparse.Namespace) -> int:
    """Whether a release may go out: reads SPEC's objectives and policy, asks Prometheus what is left; exit 1 when it must wait."""
    from monlab import gate as measuring
    from monlab.slo import policy
    from monlab.slo.formats import loaded
    from monlab.telemetry.prometheus import Prometheus

    try:
        agreed = policy.agreement(loaded(read_text(arguments.spec)))
    except OSError as error:
        raise LabProblem(f"The gate could not read {arguments.spec}: {error.strerror}. Name a file that exists.") from None
    try:
        now = datetime.fromisoformat(arguments.at) if arguments.at else datetime.now(UTC)
        now = now.astimezone(UTC) if now.tzinfo else now.replace(tzinfo=UTC)
        if now.year < 1970:
            raise ValueError("Prometheus counts from 1970")
    except (ValueError, OverflowError):
        raise LabProblem(f"{arguments.at!r} is no moment. Write it as 2026-06-30T23:59, in UTC.") from None
    if arguments.url and not _is_address(arguments.url):
        raise LabProblem(f"{arguments.url!r} is no address. Write it as http://prometheus.example:9090.")
    server = Prometheus(arguments.service, arguments.url.rstrip("/"))
    decisions = measuring.decisions(agreed, server, arguments.change, now)
    for one in decisions:
        console.print(f"{'open  ' if one.open else 'closed'} {one.slo}: {one.reason}", soft_wrap=True)
    return 0 if policy.is_open(decisions) else 1


def _is_address(text: str) -> bool:
    """Whether HTTP can be spoken to it at all."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def password(config: Settings, arguments: argparse.Namespace) -> int:
    """Show the passwords and tokens of a service."""
    known = engines.describe(config).services
    having = [name for name, service in known.items() if service.secrets]
    if arguments.service not in having:
        why = (
            f"{arguments.service} has no secret." if arguments.service in known else f"There is no service {arguments.service!r}."
        )
        raise LabProblem(f"{why}{nearest(arguments.service, having)} These have secrets: {', '.join(having)}.")
    names = known[arguments.service].secrets
    for name in names:
        console.print(f"{name}: {secrets.value(config, name)}")
    return 0


def fetch(config: Settings, arguments: argparse.Namespace) -> int:
    """Get native servers and the archived month ahead of time; --clean gives back the disk that building servers took."""
    if arguments.clean:
        caches = golang.go_caches(config)
        size = sum(path.stat().st_size for path in caches.rglob("*") if path.is_file() and not path.is_symlink())
        if caches.exists():
            shutil.rmtree(caches)
        console.print(f"Gave back {size >> 20} MB of Go caches; built servers stay.")
    if arguments.module or arguments.all or not arguments.clean:
        lab.check_modules(arguments.module, config)
        console.print(_fetch(doctor_of.servers_of(arguments.module, config), config))
        _fetch_month(arguments.module, config)
    return 0


def _fetch_month(modules: list[str], config: Settings) -> None:
    """Builds the parts of the archived month that these modules serve, all of them for an empty list."""
    description = engines.describe(config)
    services = description.for_modules(set(modules)) if modules else description.services.values()
    parts = [service.month for service in services if service.month]
    if parts:
        with Screen() as screen:
            month.obtain(parts, config, screen.say)
        console.print(f"The archived month is built: {', '.join(parts)}.")


def _fetch(names: list[str], config: Settings) -> str:
    """Obtains servers with progress; returns words about where they came from, and which one the lab must do without."""
    optional = doctor_of.optional_servers(config)
    with Screen() as screen:
        missing = [name for name in names if servers.present(name, config) is None]
        found = servers.get_all([name for name in missing if name not in optional], config, screen.say)
        more, refused = servers.get_some([name for name in missing if name in optional], config, screen.say)
    got = [f"{name} {server.recipe.version} {server.origin}" for name, server in {**found, **more}.items()]
    got += [f"without {name} ({optional[name]}): {why}" for name, why in refused.items()]
    return ", ".join(got) or (f"{', '.join(names)}: here already" if names else "none needed")


def doctor(config: Settings, arguments: argparse.Namespace) -> int:
    """What this machine has, what is missing, and what to do."""
    table = Table(box=None, pad_edge=False)
    for column in ("", "what", "found", "what to do"):
        table.add_column(column, overflow="fold")
    found = doctor_of.findings(config)
    for finding in found:
        table.add_row(*map(Text, ("ok" if finding.ok else "!!", finding.what, finding.found, finding.do)))
    console.print(table)
    return 0 if all(finding.ok for finding in found) else 1


def reset(config: Settings, arguments: argparse.Namespace) -> int:
    """A module's files fresh again, yours kept in a dated backup; without a module, forget this clone's state."""
    if arguments.module:
        backup = workspace.reset(module(arguments.module, config), config)
        lab.keep_scraping()
        console.print(f"{arguments.module} is as the course ships it. What you had is in {backup}.")
        return 0
    places = [place for place in (config.state, config.cache if arguments.cache else None) if place and place.exists()]
    holding = engines.all_here(config)
    kept = [words for engine in holding for words in engine.kept()]
    for place in places:
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())
        console.print(f"{place}  ({size >> 20} MB)")
    for words in kept:
        console.print(words)
    if not places and not kept:
        console.print("There is nothing to delete.")
        return 0
    console.print("Your workspace/ stays as it is.")
    if not arguments.yes and not _agreed("Delete these?"):
        console.print("Nothing was deleted. `--yes` deletes without asking.")
        return 0
    try:
        console.print(lab.down())
    except LabProblem as problem:  # a Docker that is gone for good must not keep anyone from starting afresh
        console.print(f"lab: {problem}")
    for engine in holding:
        engine.stop(None)  # what another engine than the last one may still hold
        engine.discard()
    for place in places:
        shutil.rmtree(place, ignore_errors=not place.exists())
    console.print("Deleted.")
    return 0


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def export(config: Settings, arguments: argparse.Namespace) -> int:
    """Write your newest answer to each check into a file, for somebody who looks at them: an instructor."""
    from monlab.grading import exchange

    path = Path(arguments.file) if arguments.file else config.workspace / exchange.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    console.print(f"{exchange.export(path, config)} answers are in {path}. Nothing was sent anywhere.")
    return 0


def grade(config: Settings, arguments: argparse.Namespace) -> int:
    """Check the answers of such a file again, without running a notebook."""
    from monlab.grading import exchange

    graded = exchange.grade(Path(arguments.file), config)
    table = Table(box=None, pad_edge=False)
    for column in ("check", "state", "why"):
        table.add_column(column, overflow="fold")
    for one in graded:
        state, why = (one.verdict.state.value, one.verdict.message) if one.verdict else ("unknown", one.problem)
        table.add_row(*map(Text, (ascii(one.check_id[:60])[1:-1], state, why)))
    console.print(table)
    console.print(exchange.summary(graded))
    return 0


def test(config: Settings, arguments: argparse.Namespace) -> int:
    """Run the test suite: the short run, the tests of some modules, or the paths that are given to pytest."""
    from monlab import suite

    if arguments.times:
        console.print("\n".join(suite.times(config).lines()))
        return 0
    named = [module(name, config).id for name in arguments.what if re.fullmatch(r"m\d\d", name)]
    rest = [name for name in arguments.what if name not in named]
    if rest and not named and not rest[0].startswith("-"):  # paths
        return subprocess.run([sys.executable, "-m", "pytest", "--all", *rest], cwd=config.repo, check=False).returncode
    wanted = suite.Wanted(
        modules=tuple(named),
        every=arguments.all,
        fast=arguments.fast,
        soak=arguments.soak,
        workers=arguments.workers or suite.WORKERS,
        seed=arguments.seed,
        second_chances=not arguments.no_second_chance,
        more=tuple(rest),
    )
    if arguments.fast:
        return suite.run(config, wanted, console.print)
    with _servers_in_the_background(config) as later:
        return suite.run(config, dataclasses.replace(wanted, servers_later=later), console.print)


@contextmanager
def _servers_in_the_background(config: Settings) -> Iterator[bool]:
    """Yields whether servers are missing. A process of its own gets them in the background; it ends with the block."""
    missing = [name for name in doctor_of.servers_of([], config) if servers.present(name, config) is None]
    missing = [name for name in missing if name not in doctor_of.optional_servers(config)]
    if not missing:
        yield False
        return
    log = config.state / "servers.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    console.print(f"Getting missing servers in the background (progress in {log}): {', '.join(missing)}")
    with log.open("w") as said:
        getting = subprocess.Popen([sys.executable, "-m", "monlab", "fetch", "--all"], cwd=config.repo, stdout=said, stderr=said)
        try:
            yield True
        finally:
            getting.terminate()
            getting.wait()


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 1 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """The command line of `./lab`."""
    top = argparse.ArgumentParser(
        prog="./lab", description="A hands-on monitoring course. Without a command: opens JupyterLab on the start page."
    )
    top.add_argument("--no-browser", action="store_true", help="print JupyterLab's address instead of opening a browser")
    top.add_argument("--port", type=_port, help="JupyterLab's port")
    top.set_defaults(function=open_lab)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")

    def add(function: Callable[[Settings, argparse.Namespace], int]) -> argparse.ArgumentParser:
        words = " ".join((function.__doc__ or "").split())
        sub = commands.add_parser(function.__name__, help=words, description=words)
        sub.set_defaults(function=function)
        return sub

    add(up).add_argument("module", nargs="+", help="m02")
    add(down).add_argument("module", nargs="*", help="m02")
    add(status).add_argument("--json", action="store_true", help="for programs")
    of = add(logs)
    of.add_argument("service", help="prometheus")
    of.add_argument("--lines", type=int, default=50, help="how many (default 50)")
    add(password).add_argument("service", help="payments")
    of = add(run)
    of.add_argument("module", help="m02")
    of.add_argument(
        "kind", nargs="?", choices=("lesson", "exercises", "solutions"), default="lesson", help="what to run (default lesson)"
    )
    add(build).add_argument("--check", action="store_true", help="write nothing, say what differs, exit 1 if anything does")
    add(freeze).add_argument("module", nargs="*", help="m02")
    add(coverage).add_argument("--all", action="store_true", help="list open ids of planned modules too")
    of = add(gate)
    of.add_argument("spec", type=Path, help="YAML with slos, and if wanted levels and exceptions")
    of.add_argument(
        "--change",
        choices=("feature", "fix", "reliability", "security"),
        default="feature",
        help="what is released (default feature)",
    )
    of.add_argument("--service", default="prometheus", help="which Prometheus is asked (default prometheus)")
    of.add_argument("--url", default="", help="address of a Prometheus elsewhere, as in CI")
    of.add_argument("--at", default="", help="a moment in UTC, as in 2026-06-30T23:59 (default now)")
    get = add(fetch)
    get.add_argument("module", nargs="*", help="m02")
    get.add_argument("--all", action="store_true", help="every server of the course")
    get.add_argument("--clean", action="store_true", help="delete the Go caches of this lab")
    add(doctor)
    again = add(reset)
    again.add_argument("module", nargs="?", help="m02")
    again.add_argument("--cache", action="store_true", help="also the servers that were fetched or built, shared by all clones")
    again.add_argument("--yes", action="store_true", help="do not ask")
    add(export).add_argument("file", nargs="?", help="default: workspace/ANSWERS.json")
    add(grade).add_argument("file", help="ANSWERS.json")
    of = add(test)
    of.add_argument("what", nargs="*", help="m04, or paths for pytest; pytest's own options follow `--`")
    tier = of.add_mutually_exclusive_group()
    tier.add_argument(
        "--all", action="store_true", help="also the long tests: every lesson on each engine, 50 cycles of the soak"
    )
    tier.add_argument("--fast", action="store_true", help="only tests without servers")
    tier.add_argument("--times", action="store_true", help="run nothing; show where the time of the last run went")
    of.add_argument("--soak", type=_count, metavar="N", help="cycles of the soak per engine (default 8; with --all 50)")
    of.add_argument("--workers", type=_count, metavar="N", help="tests at a time (default 3)")
    of.add_argument("--seed", type=int, help="repeat the order of an earlier run, which printed its seed")
    of.add_argument("--no-second-chance", action="store_true", help="a test with servers that fails once has failed")
    return top


def main(words: list[str] | None = None) -> int:
    """Runs one command; a LabProblem becomes its sentence and exit code 1."""
    arguments = parser().parse_args(words)
    resolve_paths()
    try:
        return int(arguments.function(settings(), arguments))
    except LabProblem as problem:
        console.print(f"lab: {problem}", style=None)
        return 1
    except OSError as error:  # what no room made a sentence of: a full disk, a file of another user
        console.print(f"lab: {error.filename or 'the system'}: {error.strerror or error}. Mend that, then run the same again.")
        return 1
    except KeyboardInterrupt as stop:
        console.print(f"lab: {str(stop) or 'stopped.'}")
        return INTERRUPTED

"""Which tests run, in what order, and which of them share servers: a pytest plugin.

A test is one of three tiers (docs/testing.md): without servers, with servers, or long and therefore left to `./lab test --all`.
Tests that use the same servers form a group, which one worker runs in one go; the servers end with the last test of their group.
"""

import os
import re
import resource
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from marks import BUILDING

TESTS = Path(__file__).parent
ENGINES = {"native", "docker", "external"}
# Fixtures by which a test starts, or looks at, something that runs. Any other way is told by the marker `live`.
LIVE = {"clone", "daemon", "running", "whole_shop", "healthy_shop", "lab", "free", "chrome", "jupyter", "kernel", *ENGINES}
LIVE |= {"june_servers", "june_url", "month_url", "month_urls", "raw", "archive", "archives", "served", "asked", "world"}
# Fixtures without servers that a commit hook has no time for.
SLOW = {"june": "makes the whole month", "pytester": "starts a pytest of its own"}
CHEAP = {"kept_answers", "idle", "benchmark"}  # wider than one test, and quicker made again than waited for
FOLDERS = {"machine": "m01", "dashboards": "m03", "grafana": "m03", "slo": "m08"}  # packages that one module teaches
SOAK, SOAK_LONG = 8, 50  # cycles per engine
DOCKER = "docker"  # one daemon, one set of images: all that use them stay together


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tiers", "which tests run")
    group.addoption("--all", action="store_true", dest="every", help="also what the short run leaves out")
    group.addoption("--fast", action="store_true", help="only tests without servers")
    group.addoption("--of", action="append", default=[], metavar="m02", help="only what belongs to these modules")
    group.addoption(
        "--soak", type=int, default=None, metavar="N", help="cycles of the soak per engine (default 8; with --all 50)"
    )
    today = datetime.now(UTC).date().isoformat()  # other faults each day
    group.addoption("--soak-seed", default=today, metavar="SEED", help="what the soak's faults are drawn by (default: the date)")
    group.addoption("--servers-later", action="store_true", help="tests without servers first, for servers are still being built")


def pytest_configure(config: pytest.Config) -> None:
    config.option.soak = config.option.soak or (SOAK_LONG if config.option.every else SOAK)
    if config.option.servers_later:
        os.environ[BUILDING] = "1"  # clones wait for the servers they start
    config.addinivalue_line("markers", "live: talks to real servers, browsers or containers")
    config.addinivalue_line("markers", "slow(why): left out of `./lab test --fast`, though it has no servers")
    config.addinivalue_line("markers", "long(why): left to `./lab test --all`")
    config.addinivalue_line("markers", "alone(why): runs after the others, with the machine to itself")
    config.addinivalue_line("markers", "module(id): belongs to this module of the course")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The second part of a run needs few files, and reading all of them takes long."""
    if config.option.markexpr == "alone" and collection_path.name.startswith("test_"):
        return "alone(" not in collection_path.read_text("utf-8") or None
    return None


def pytest_report_header(config: pytest.Config) -> str:
    return f"soak: {config.option.soak} cycles per engine ({SOAK_LONG} with --all), --soak-seed {config.option.soak_seed}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]):
    left: Counter[str] = Counter()
    kept, dropped = [], []
    for item in items:
        if uses(item) & LIVE and not in_folder(item, "unit"):
            item.add_marker(pytest.mark.live)
        for name in uses(item) & SLOW.keys():
            item.add_marker(pytest.mark.slow(SLOW[name]))
        if (group := group_of(item)) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(group))
        wanted = asked_for(item, config)
        long = item.get_closest_marker("long")
        if wanted and long and not config.option.every:
            wanted = False
            if config.option.markexpr != (
                "not alone" if item.get_closest_marker("alone") else "alone"
            ):  # the other part tells of it
                left[f"{item.nodeid.partition('[')[0]} ({long.args[0]})"] += 1
        (kept if wanted else dropped).append(item)
    items[:] = kept
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    config.stash[LEFT] = left
    if hasattr(config, "workeroutput"):
        config.workeroutput["left"] = dict(left)
    result = yield  # other plugins shuffle
    items.sort(key=lambda item: rank(item, config))
    return result


LEFT = pytest.StashKey[Counter[str]]()


def asked_for(item: pytest.Item, config: pytest.Config) -> bool:
    """Whether the options choose this test, the long ones aside."""
    if config.option.fast and any(map(item.get_closest_marker, ("live", "slow", "alone"))):
        return False
    return not config.option.of or bool(modules_of(item) & set(config.option.of))


def modules_of(item: pytest.Item) -> set[str]:
    """The modules of the course to which a test belongs: by its marker, its folder, or its parameters' names."""
    marked = {name for marker in item.iter_markers("module") for name in marker.args}
    marked |= {module for folder, module in FOLDERS.items() if in_folder(item, folder)}
    named = item.nodeid.partition("[")[2]
    return (
        marked
        | set(re.findall(r"(?<![a-z0-9])m\d\d(?!\d)", named))
        | {f"m{number}" for number in re.findall(r"/(\d\d)_\w+\.ipynb", named)}
    )


def in_folder(item: pytest.Item, name: str) -> bool:
    return item.path.relative_to(TESTS).parts[0] == name


def uses(item: pytest.Item) -> set[str]:
    """The fixtures of a test; those of an engine that it is run on are told by the engine's name."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return set(getattr(item, "fixturenames", ())) | {one for one in parameters if isinstance(one, str) and one in ENGINES}


def group_of(item: pytest.Item) -> str:
    """The name of the group whose servers a test shares; empty for one that has its own."""
    if uses(item) & {"daemon", DOCKER}:
        return DOCKER
    if "external" in uses(item):
        return "running"
    found = {name: one for name, one in shared(item).items() if name not in CHEAP}
    for scope in ("session", "module"):
        names = [name for name, one in found.items() if one.scope == scope]
        needed = {name for one in names for name in found[one].argnames}
        for name in names:
            if name not in needed:  # what is made of other servers takes the longest
                return name if scope == "session" else item.path.stem
    return ""


def shared(item: pytest.Item) -> dict[str, pytest.FixtureDef]:
    """The fixtures of these tests that outlive one test, of those that a test names; the widest first."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = {name: found[-1] for name, found in info.name2fixturedefs.items()} if info else {}
    ordered = {name: definitions[name] for name in info.names_closure if name in definitions} if info else {}
    return {name: one for name, one in ordered.items() if outlives_a_test(one)}


def outlives_a_test(fixture: pytest.FixtureDef) -> bool:
    """Whether it is a fixture of these tests that several tests may share."""
    return fixture.scope in ("session", "module") and Path(fixture.func.__code__.co_filename).is_relative_to(TESTS)


def rank(item: pytest.Item, config: pytest.Config) -> tuple[int, str]:
    """Groups first, for they are the longest; then tests with servers of their own; tests without any fill what is left.

    While servers are still being built it is the other way round.
    """
    live = item.get_closest_marker("live") is not None
    group = group_of(item)
    if config.option.servers_later:
        return (int(live), group)
    return (0 if live and group else 1 if live else 2, group)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item):
    item.stash[SPENT] = cpu_seconds()
    return (yield)


SPENT = pytest.StashKey[float]()


def cpu_seconds() -> float:
    """What this process, and the commands it has waited for, have computed so far; servers, which outlive their command, aside."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    end_what_nobody_shares(item, nextitem)
    item.user_properties.append(("cpu", f"{cpu_seconds() - item.stash[SPENT]:.2f}"))


def end_what_nobody_shares(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Ends shared servers with the last test of their group, not with the run."""
    if nextitem is None or group_of(item) == group_of(nextitem):
        return
    staying = set(shared(nextitem))
    up = item.session.stash.setdefault(UP, {})
    for name in [name for name in reversed(up) if name not in staying]:
        up.pop(name).finish(item._request)


UP = pytest.StashKey[dict[str, pytest.FixtureDef]]()  # the session's fixtures that are set up, in that order


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef, request: pytest.FixtureRequest):
    """Notes which shared fixtures are up, and how long each took, with the test that had to wait for it."""
    start = time.monotonic()
    result = yield
    if outlives_a_test(fixturedef):
        taken = (f"fixture {fixturedef.argname}", f"{time.monotonic() - start:.2f}")
        request._pyfuncitem.user_properties.append(taken)
        if fixturedef.scope == "session":
            request.session.stash.setdefault(UP, {})[fixturedef.argname] = fixturedef
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """A worker has chosen the tests; the process that prints the summary has not."""
    node.config.stash[LEFT] = Counter(getattr(node, "workeroutput", {}).get("left", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left = config.stash.get(LEFT, Counter())
    if left:
        terminalreporter.section(f"left to ./lab test --all: {sum(left.values())} tests")
        for name, count in sorted(left.items()):
            terminalreporter.line(f"{count:4} {name}")

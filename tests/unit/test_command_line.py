"""`./lab` with words that cannot be meant: one sentence that says what to do, and an exit code that a script can use."""

import pytest
from clones import Clone, ended

from monlab.settings import settings
from monlab.stack import engines
from monlab.stack.preflight import NATIVE_MEGABYTES

SPEC = "course/m08_slo/files/services.yaml"


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory):
    """A clone in which nothing is up; the tests below leave it so."""
    made = Clone(tmp_path_factory.mktemp("idle"), LAB_ENGINE="native")
    yield made
    ended(made)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["logs", "prometheus", "--lines", "0"], "0 lines were asked for. Ask for 1 or more."),
        (["logs", "prometheus", "--lines", "-3"], "-3 lines were asked for. Ask for 1 or more."),
        (["up", "m04"], "Module m04 (Logs) is planned; it has no lesson and no servers yet."),
        (["down", "m04"], "Module m04 (Logs) is planned"),
        (["fetch", "m04"], "Module m04 (Logs) is planned"),
        (["up", "m00"], "Module m00 (Start here) needs no server"),
        (["up", "mo2"], "There is no module 'mo2'. Did you mean m02?"),
        (["up", "prometheus"], "There is no module 'prometheus'. Modules with servers: m01"),  # and no guess that is far off
        (["run", "m00", "exercises"], "Module m00 (Start here) has no exercises. `./lab run m00` runs its lesson."),
        (["freeze", "nosuch"], "There is no module 'nosuch'."),
        (["freeze", "m04"], "Module m04 (Logs) is planned"),
        (["password", "paymets"], "There is no service 'paymets'. Did you mean payments? These have secrets: frontend, "),
        (["password", "prometheus"], "prometheus has no secret."),
        (
            ["gate", SPEC, "--url", "http://127.0.0.1:1"],
            "does not answer at http://127.0.0.1:1. Is the address right, and the server up?",
        ),
        (["gate", SPEC, "--at", "yesterday"], "'yesterday' is no moment. Write it as 2026-06-30T23:59, in UTC."),
        (["gate", SPEC, "--at", "0001-01-01T00:00+14:00"], "is no moment"),
        (
            ["gate", "docs/images/burst.png"],
            "lab: docs/images/burst.png is no text in UTF-8. Save it as one.",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_told_in_a_sentence(idle, words, said):
    found = " ".join(idle.lab(*words, code=1).split())
    assert said in found and "Traceback" not in found


def test_an_unknown_command_is_answered_with_all_there_are(idle):
    said = " ".join(idle.lab("strat", code=2).split())
    assert "argument COMMAND: invalid choice: 'strat'" in said and "'status'" in said


def test_a_reset_that_nobody_can_be_asked_about_says_how(idle):
    idle.lab("down")
    assert "Nothing was deleted. `--yes` deletes without asking." in " ".join(idle.lab("reset").split())


def test_servers_elsewhere_that_were_refused_are_not_called_up(idle, tmp_path):
    urls = tmp_path / "servers.yaml"
    urls.write_text("prometheus: http://127.0.0.1:1\n", "utf-8")
    elsewhere = {"LAB_ENGINE": "", "LAB_ENDPOINTS": str(urls)}
    assert "does not say where alertmanager is" in " ".join(idle.lab("up", "m02", code=1, **elsewhere).split())
    urls.write_text("".join(f"{name}: http://127.0.0.1:1\n" for name in ("prometheus", "node_exporter")), "utf-8")
    assert "prometheus does not answer at" in " ".join(idle.lab("up", "m01", code=1, **elsewhere).split())
    assert idle.lab("status").startswith("Nothing is up")


def test_doctor_names_every_module_that_needs_a_missing_server(idle, tmp_path):
    """Prometheus serves the archived month, too; that was the only one it named."""
    said = " ".join(idle.lab("doctor", code=None, XDG_CACHE_HOME=str(tmp_path)).split())
    assert "`./lab up` of m01 or m02 or m03 or m08 or month or shop gets it, or `./lab fetch m01` ahead of time" in said


def test_doctor_counts_the_memory_of_the_largest_module_and_not_of_all(idle):
    description = engines.describe(settings())
    largest = NATIVE_MEGABYTES * max(len(description.for_modules({module})) for module in description.modules)
    assert largest < NATIVE_MEGABYTES * len(description.services)
    assert f"the largest module needs about {largest} MB" in " ".join(idle.lab("doctor", code=None).split())


@pytest.fixture
def no_folder(tmp_path):
    """A state folder that is none: a file lies in its place."""
    (tmp_path / "state").write_text("")
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.mark.parametrize("words", [["status"], ["up", "m01"], ["down"], ["logs", "prometheus"], ["run", "m00"]], ids=" ".join)
def test_a_state_folder_of_no_use_is_told_with_the_way_out(idle, no_folder, words):
    said = " ".join(idle.lab(*words, code=1, **no_folder).split())
    assert "keeps its state in" in said and "or set XDG_STATE_HOME to a folder that is." in said and "Traceback" not in said


def test_doctor_goes_on_where_the_state_folder_is_of_no_use(idle, no_folder):
    said = "".join(idle.lab("doctor", code=1, **no_folder).split())  # the table breaks long paths
    assert "afolderthatyoucanwriteto" in said and "prometheus3." in said and "portsnotknown" in said


def test_an_export_of_answers_out_of_reach_is_no_export_of_none(idle, no_folder, tmp_path):
    said = " ".join(idle.lab("export", str(tmp_path / "mine.json"), code=1, **no_folder).split())
    assert "cannot be read" in said and "Traceback" not in said and not (tmp_path / "mine.json").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_cannot_be_is_refused_before_jupyterlab_starts(idle, port):
    """JupyterLab would show an address with 99999 in it, and listen elsewhere."""
    said = idle.lab("--no-browser", "--port", port, code=2)
    assert f"argument --port: {port!r} is no port: a number from 1 to 65535" in " ".join(said.split())

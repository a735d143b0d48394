"""What goes wrong while the lab starts or runs, and the sentence a person reads then."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest


def test_ports_taken_by_someone_else_move_the_lab_and_name_them(clone):
    with ExitStack() as stack:
        taken = []
        for port in (9090, 3000, 9100):
            try:
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
                taken.append(port)
            except OSError:
                taken.append(port)  # someone else holds it already: as good for this test
        said = clone.lab("up", "m02")
        assert "ort 9090 is taken by" in said and "uses ports from" in said
        assert {service["state"] for service in clone.status().values()} == {"running"}
        assert all(not service["url"].endswith((":9090", ":9100")) for service in clone.status().values())


def test_a_server_that_dies_at_start_shows_its_last_lines(clone):
    clone.lab("up", "m02")
    clone.lab("down")
    (clone.repo / "workspace/alertmanager/alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: []\n")
    said = clone.lab("up", "m02", code=1)
    assert "alertmanager ended while it started" in said and "nobody" in said and "./lab down" in said
    assert "Traceback" not in said
    clone.lab("reset", "m02")
    clone.lab("up", "m02")
    assert clone.status()["alertmanager"]["state"] in ("running", "restarted")


def test_a_killed_server_comes_back_and_status_says_so(clone):
    clone.lab("up", "m02")
    pid = clone.status()["prometheus"]["pid"]
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (now := clone.status()["prometheus"])["pid"] in (pid, None) or now["state"] != "restarted":
        assert time.monotonic() < deadline, now
    assert "terminated by SIGKILL" in now["detail"]
    assert clone.query("vector(1)")
    clone.lab("down")
    clone.lab("up", "m02")
    assert clone.status()["prometheus"]["state"] == "running", "what happened before the last start is over"


def test_servers_of_a_killed_supervisor_are_found_by_status_down_and_up(clone):
    clone.lab("up", "m02")
    supervisor = next(process for process in clone.processes() if "supervisord" in " ".join(process.cmdline()))
    supervisor.kill()
    supervisor.wait(10)
    assert len(clone.processes()) == 5
    urls = {service["url"] for service in clone.status().values()}
    assert "was up and is gone" in clone.lab("status")
    clone.lab("up", "m02")
    assert {service["state"] for service in clone.status().values()} == {"running"}
    assert len(clone.processes()) == 6 and {service["url"] for service in clone.status().values()} == urls
    next(process for process in clone.processes() if "supervisord" in " ".join(process.cmdline())).kill()
    clone.lab("down")
    assert not clone.processes()


@pytest.mark.parametrize("after", ["supervisord is there", "the command has started"])
def test_the_stop_button_during_up_leaves_what_the_next_up_completes(clone, after):
    process = clone.begin("up", "m02")
    deadline = time.monotonic() + 20
    while after == "supervisord is there" and not clone.processes() and process.poll() is None:
        assert time.monotonic() < deadline
    while after == "the command has started" and not (clone.repo / "workspace").exists():
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    if process.returncode == 0:
        assert "running" in said  # the services were faster than the button
    else:
        assert process.returncode == 130 and "Traceback" not in said and "stopped" in said.lower(), said
    clone.lab("up", "m02")
    assert {service["state"] for service in clone.status().values()} == {"running"}


def test_the_stop_button_during_a_build_ends_go_and_says_how_to_go_on(clone):
    cache = clone.home / "cache"
    path = f"{Path(shutil.which('go') or '/none').parent}:/usr/bin:/bin"
    process = clone.begin("up", "m02", XDG_CACHE_HOME=str(cache), PATH=path)
    said = ""
    while "fetching sources" not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130 and "Run the same again" in rest and "Traceback" not in rest
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(cache) not in listed
    assert not [path for path in (cache / "monlab" / "servers").glob("*") if not path.name.startswith(".")]


def test_an_unknown_module_is_answered_with_the_nearest(clone):
    assert "There is no module 'mo2'. Did you mean m02?" in clone.lab("up", "mo2", code=1)
    assert "Did you mean m02?" in clone.lab("run", "m2", code=1)
    assert "planned" in clone.lab("run", "m08", code=1)


def test_no_go_and_no_network_is_one_sentence_with_what_to_do(clone):
    nowhere = "http://127.0.0.1:9"
    said = clone.lab(
        "up",
        "m02",
        code=1,
        XDG_CACHE_HOME=str(clone.home / "cache"),
        PATH="/usr/bin:/bin",
        LAB_RELEASES=nowhere,
        UV_DEFAULT_INDEX=nowhere,
        UV_INDEX_URL=nowhere,
        UV_NO_CACHE="1",
        UV_FIND_LINKS="",
        UV_HTTP_RETRIES="0",
    )
    assert "there is no Go on PATH" in said and "network" in said and "on your PATH" in said and "Traceback" not in said


def test_go_without_a_network_says_that_the_sources_could_not_be_fetched(clone):
    said = clone.lab(
        "fetch",
        "m02",
        code=1,
        XDG_CACHE_HOME=str(clone.home / "cache"),
        LAB_RELEASES="http://127.0.0.1:9",
        GOPROXY="http://127.0.0.1:9",
        GOFLAGS="",
        GONOSUMDB="*",
    )
    assert "sources could not be fetched" in said and "is there a network?" in said


def test_a_typing_error_in_compose_yaml_is_named(clone):
    file = clone.repo / "stack/compose.yaml"
    file.write_text(file.read_text("utf-8").replace("    mem_limit: 512m", "    mem_limt: 512m", 1), "utf-8")
    said = clone.lab("up", "m02", code=1)
    assert "service prometheus has an unknown key 'mem_limt'. Did you mean mem_limit?" in said


def test_two_ups_at_once_do_not_mix(clone):
    clone.lab("up", "m02")
    clone.lab("down")
    both = [clone.begin("up", "m02") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), said
    if codes == [0, 1]:
        assert any("Another `up` or `down` of this lab is at work" in text for text in said)
    assert len(clone.processes()) == 6


def test_two_processes_that_want_the_same_server_build_it_once(clone):
    """The build is the real one, of the smallest server, from the user's warm Go caches."""
    cache = clone.home / "cache" / "monlab"
    cache.mkdir(parents=True)
    real = Path(clone.python("from monlab.settings import settings; print(settings().cache)").strip())
    (cache / "go").symlink_to(real / "go")
    code = (
        "from monlab.settings import settings; from monlab.stack import servers\n"
        "said = []; server = servers.get('pushgateway', settings(), said.append); print(server.source, len([l for l in said if 'compiling' in l or 'fetching' in l]) > 0)"
    )
    environment = {**clone.environment, "XDG_CACHE_HOME": str(clone.home / "cache"), "LAB_RELEASES": "http://127.0.0.1:9"}
    both = [subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=400)[0].strip() for process in both)
    assert said == ["go False", "go True"] or said == ["go False", "go False"], said
    assert len(list((cache / "servers").iterdir())) == 1


def test_a_state_folder_that_cannot_be_written_is_named(clone):
    (clone.home / "state").write_text("a file where a folder should be")
    said = clone.lab("up", "m02", code=1)
    assert "keeps its state in" in said and "cannot be written" in said and "Traceback" not in said
    (clone.home / "state").unlink()

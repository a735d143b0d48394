"""What goes wrong while the lab starts or runs, and the sentence a person reads then."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from waits import until, wait_for

from monlab.stack.preflight import BUILD_DISK_MEGABYTES

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system")


@pytest.mark.xdist_group("standard ports")
def test_ports_taken_by_someone_else_move_the_lab_and_name_them(clone):
    del clone.environment["LAB_PORTS"]
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


def test_a_search_for_ports_that_can_begin_nowhere_is_named(clone):
    assert "LAB_PORTS is '9090', which is not the first port of a block" in clone.lab("up", "m02", code=1, LAB_PORTS="9090")
    assert not clone.leftovers(), "its supervisor was being started meanwhile"


def test_a_supervisor_that_does_not_start_is_named_with_its_last_words(clone, tmp_path):
    (tmp_path / "supervisor.py").write_text("raise SystemExit('no supervisor today')\n")
    said = clone.lab("up", "m02", code=1, PYTHONPATH=f"{tmp_path}:{clone.environment['PYTHONPATH']}")
    assert "The supervisor that keeps the servers did not start. It said:" in said
    assert "no supervisor today" in said
    assert not clone.leftovers()


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


def test_a_killed_server_comes_back_and_status_says_so(any_clone):
    any_clone.lab("up", "m02")
    pid = any_clone.status()["prometheus"]["pid"]
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while (now := any_clone.status()["prometheus"])["pid"] in (pid, None) or now["state"] != "restarted":
        assert time.monotonic() < deadline, now
    assert "ended 1 time, last: terminated by SIGKILL" in now["detail"]
    wait_for(any_clone, "vector(1)")
    any_clone.lab("down")
    any_clone.lab("up", "m02")
    assert any_clone.status()["prometheus"]["state"] == "running", "what happened before the last start is over"


def test_a_server_killed_on_purpose_comes_back_too(any_clone):
    any_clone.lab("up", "m02")
    any_clone.python("from monlab import stack; stack.kill('alertmanager')")
    deadline = time.monotonic() + 20
    while (now := any_clone.status()["alertmanager"])["state"] != "restarted":
        assert time.monotonic() < deadline, now
    assert "ended 1 time, last: terminated by SIGKILL" in now["detail"]


def test_a_killed_docker_daemon_is_named_and_comes_back_with_the_servers(docker_clone, own_daemon):
    docker_clone.lab("up", "m02")
    own_daemon.kill()
    for words in (["status"], ["up", "m02"], ["down"], ["logs", "prometheus"]):
        said = docker_clone.lab(*words, code=1)
        assert (
            "Docker does not answer at" in said and "Start it (`sudo systemctl start docker`" in said and "Traceback" not in said
        )
    assert "Docker does not answer" in " ".join(docker_clone.lab("doctor", code=1).split())
    own_daemon.start()
    docker_clone.lab("up", "m02")
    assert {service["state"] for service in docker_clone.status().values()} <= {"running", "restarted"}
    wait_for(docker_clone, "vector(1)")


def test_servers_of_a_killed_supervisor_are_found_by_status_down_and_up(clone):
    clone.lab("up", "m02")
    supervisor = clone.supervisor()
    supervisor.kill()
    supervisor.wait(10)
    assert len(clone.processes()) == 5
    urls = {service["url"] for service in clone.status().values()}
    assert "was up and is gone" in clone.lab("status")
    clone.lab("up", "m02")
    assert {service["state"] for service in clone.status().values()} == {"running"}
    assert len(clone.processes()) == 6 and {service["url"] for service in clone.status().values()} == urls
    clone.supervisor().kill()
    clone.lab("down")
    assert not clone.processes()


MOMENTS = ["the command has started", "something runs"]


def wait_for_moment(clone, moment: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None:
        if clone.leftovers() if moment == "something runs" else (clone.repo / "workspace").exists():
            return
        assert time.monotonic() < deadline


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_stop_button_during_up_leaves_what_the_next_up_completes(any_clone, moment):
    process = any_clone.begin("up", "m02")
    wait_for_moment(any_clone, moment, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    if process.returncode == 0:
        assert "running" in said  # the services were faster than the button
    else:
        assert process.returncode == 130 and "Traceback" not in said and "stopped" in said.lower(), said
    any_clone.lab("up", "m02")
    assert {service["state"] for service in any_clone.status().values()} == {"running"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kernel_killed_during_up_leaves_what_the_next_up_completes(any_clone, moment):
    """The kernel is the process that runs `stack.up`: here the command itself, killed so that it can clean up nothing."""
    process = any_clone.begin("up", "m02")
    wait_for_moment(any_clone, moment, process)
    process.kill()
    process.communicate(timeout=30)
    assert "Traceback" not in any_clone.lab("status")
    any_clone.lab("up", "m02")
    assert {service["state"] for service in any_clone.status().values()} == {"running"}


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
    until(
        lambda: str(cache) not in subprocess.check_output(["ps", "-eo", "args"], text=True), 5, "Go and its compilers have ended"
    )
    assert not [path for path in (cache / "monlab" / "servers").glob("*") if not path.name.startswith(".")]


def test_an_unknown_module_is_answered_with_the_nearest(clone):
    assert "There is no module 'mo2'. Did you mean m02?" in clone.lab("up", "mo2", code=1)
    assert "Did you mean m02?" in clone.lab("run", "m2", code=1)
    assert "planned" in clone.lab("run", "m05", code=1)


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
    cache = go_caches_of_the_user(clone)
    code = (
        "from monlab.settings import settings; from monlab.stack import servers\n"
        "said = []; server = servers.get('pushgateway', settings(), said.append); print(server.source, len([l for l in said if 'compiling' in l or 'fetching' in l]) > 0)"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], env=clone.environment, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=400)[0].strip() for process in both)
    assert said == ["go False", "go True"] or said == ["go False", "go False"], said
    assert len(list((cache / "servers").iterdir())) == 1


def test_a_state_folder_that_cannot_be_written_is_named(clone):
    (clone.home / "state").write_text("a file where a folder should be")
    said = clone.lab("up", "m02", code=1)
    assert "keeps its state in" in said and "cannot be written" in said and "Traceback" not in said
    (clone.home / "state").unlink()


@needs_root
def test_a_state_folder_that_became_read_only_is_named(clone):
    clone.lab("up", "m02")
    clone.lab("down")
    with mounted(clone.home / "state", "-o", "ro"):
        for words in (["up", "m02"], ["down"]):
            said = clone.lab(*words, code=1)
            assert "keeps its state in" in said and "cannot be written: Read-only file system" in said and "Traceback" not in said
        assert "make " in " ".join(clone.lab("doctor", code=1).split())


@needs_root
def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(clone):
    with mounted(clone.home / "cache", "-o", "size=32m"):
        said = clone.lab("up", "m02", code=1, XDG_CACHE_HOME=str(clone.home / "cache"))
    assert (
        f"{BUILD_DISK_MEGABYTES} MB of free disk are needed to get" in said
        and "has 32 MB" in said
        and "./lab fetch --clean" in said
    )


@needs_root
def test_a_disk_that_fills_up_while_a_server_is_built_is_told_and_leaves_no_half_server(clone):
    """The build is the real one, of the smallest server, from the user's warm Go caches."""
    cache = go_caches_of_the_user(clone)
    (cache / "servers").mkdir()
    with mounted(cache / "servers", "-o", "size=4m"):
        said = get_pushgateway(clone)
        assert "the disk is full" in said and "./lab fetch --clean" in said and "Traceback" not in said
        assert not [path for path in (cache / "servers").iterdir() if not path.name.startswith(".")]


def test_a_wrong_checksum_in_go_sum_is_refused_by_name(clone):
    go_caches_of_the_user(clone)
    file = clone.repo / "stack/native/pushgateway/go.sum"
    text = file.read_text("utf-8")
    module = re.search(r"^github.com/prometheus/pushgateway \S+ h1:(\S+)$", text, re.MULTILINE)
    file.write_text(text.replace(module[1], module[1][::-1].lstrip("=") + "="), "utf-8")
    said = get_pushgateway(clone)
    assert "checksum mismatch" in said and "Traceback" not in said


def go_caches_of_the_user(clone) -> Path:
    """A cache without servers that shares the user's Go caches. Returns its folder."""
    cache = clone.home / "cache" / "monlab"
    cache.mkdir(parents=True)
    real = Path(clone.python("from monlab.settings import settings; print(settings().cache)").strip())
    (cache / "go").symlink_to(real / "go")
    clone.environment.update(XDG_CACHE_HOME=str(clone.home / "cache"), LAB_RELEASES="http://127.0.0.1:9")
    return cache


def get_pushgateway(clone) -> str:
    """What is said when the Pushgateway is to be built and cannot be."""
    return clone.python(
        "from monlab.settings import settings; from monlab.stack import servers; from monlab.problem import LabProblem\n"
        "try: servers.get('pushgateway', settings(), lambda line: None)\nexcept LabProblem as problem: print(problem)"
    )


@contextmanager
def mounted(folder: Path, *options: str):
    """A file system in memory on a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


CUT_SHORT = '{"engine": "nat'


def test_a_cut_short_endpoints_file_is_named_and_up_writes_it_anew(any_clone):
    any_clone.lab("up", "m02")
    (any_clone.state / "endpoints.json").write_text(CUT_SHORT)
    asked = (
        "from monlab import prom\nfrom monlab.problem import LabProblem\ntry: prom.query('up')\nexcept LabProblem as e: print(e)"
    )
    assert "endpoints.json was cut short or edited" in any_clone.python(asked)
    assert "endpoints.json was cut short or edited" in any_clone.lab("status", code=1)
    any_clone.lab("up", "m02")
    assert {service["state"] for service in any_clone.status().values()} == {"running"}


@pytest.mark.parametrize(
    "text",
    [
        CUT_SHORT,
        pytest.param("[" * 100_000, id="nested"),
        "[]",
        '{"engine": "dokcer", "modules": []}',
        '{"engine": "native", "modules": 3}',
    ],
)
def test_a_damaged_memory_is_named_and_down_ends_everything_all_the_same(clone, text):
    clone.lab("up", "m02")
    (clone.state / "lab.json").write_text(text)
    for words in (["status"], ["up", "m02"], ["down", "m02"]):
        assert "so the lab does not know what it started. `./lab down` ends everything" in clone.lab(*words, code=1)
    assert "Ended" in clone.lab("down")
    assert not clone.leftovers()
    clone.lab("up", "m02")


def test_a_supervisor_s_damaged_configuration_is_named_and_down_mends_it(clone):
    clone.lab("up", "m01")
    (clone.state / "supervisor" / "supervisord.conf").write_bytes(b"\0garbage[")
    assert "supervisor cannot read its configuration" in clone.lab("up", "m02", code=1)
    clone.lab("down")
    clone.lab("up", "m02")


def test_a_file_that_is_no_text_is_named(clone):
    clone.lab("up", "m01")
    config = clone.repo / "workspace/prometheus/prometheus.yml"
    config.write_bytes(b"\xff\xfe" + config.read_bytes())
    assert "prometheus.yml is no text in UTF-8" in clone.lab("up", "m01", code=1)


def test_records_of_a_load_that_were_cut_short_stop_no_load(clone):
    clone.python("from monlab.settings import settings; settings().state.mkdir(parents=True)")
    for name in ("load.json", "load-summary.json"):
        (clone.state / name).write_text(CUT_SHORT)
    said = clone.python(
        "from monlab import shop\nfrom monlab.problem import LabProblem\nprint(shop.load.running(), shop.load.stop())\n"
        "for ask in (shop.load.wait, shop.load.summary):\n    try: ask()\n    except LabProblem as problem: print(problem)"
    )
    assert said.startswith("False No load was running.") and said.count("There is no summary") == 2, said


def test_a_damaged_memory_in_docker(docker_clone):
    docker_clone.lab("up", "m02")
    (docker_clone.state / "lab.json").write_text(CUT_SHORT)
    assert "Ended" in docker_clone.lab("down")
    assert not docker_clone.leftovers()


def test_a_damaged_port_file_is_named_while_servers_run_on_those_ports(clone):
    clone.lab("up", "m02")
    (clone.state / "ports.json").write_text('{"base": ')
    assert "ports.json was cut short or edited" in clone.lab("status", code=1)
    assert "Ended" in clone.lab("down")
    clone.lab("up", "m02")


def test_a_stale_endpoints_file_is_told_by_status_and_by_the_notebook(any_clone):
    any_clone.lab("up", "m02")
    for process in any_clone.processes():
        process.kill()
    for name in any_clone.containers():
        if name.endswith("-1"):  # a container, not a network
            subprocess.run(["docker", "rm", "--force", name], check=True, capture_output=True)
    assert "was up and is gone; `./lab up` brings it back" in any_clone.lab("status")
    asked = (
        "from monlab import prom\nfrom monlab.problem import LabProblem\ntry: prom.query('up')\nexcept LabProblem as e: print(e)"
    )
    assert "prometheus does not answer at" in any_clone.python(asked)
    any_clone.lab("up", "m02")
    assert {service["state"] for service in any_clone.status().values()} == {"running"}


@pytest.fixture
def an_hour_ahead():
    """What makes this machine's programs believe that it is an hour later."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        pytest.skip("no libfaketime on this machine; `apt-get install faketime` brings it")
    return {"LD_PRELOAD": str(found[0]), "FAKETIME": "+1h"}


def test_a_clock_an_hour_off_is_told_and_ranges_are_asked_in_the_servers_time(student, an_hour_ahead):
    said = student.lab("up", "m02", **an_hour_ahead)
    assert "The clock of prometheus, alertmanager" in said and "is 60 minutes behind this machine's" in said
    assert "60 minutes behind" in " ".join(student.lab("doctor", code=1, **an_hour_ahead).split())
    wait_for(student, "count(last_over_time(up[10s]) == 1) == 5")
    student.environment.update(an_hour_ahead)
    assert int(student.python("from monlab import prom; print(prom.query_range('up', last='5s').notna().to_numpy().sum())")) > 4
    for name in an_hour_ahead:
        del student.environment[name]
    assert "The clock of" not in student.lab("up", "m02")


def test_samples_from_a_clock_that_was_set_back_are_told(clone):
    """Prometheus takes no sample older than its newest: an hour from the future stops it for an hour."""
    clone.lab("up", "m02")
    clone.lab("down")
    later = int(time.time()) + 3600
    text = "# TYPE late gauge\n" + "".join(f"late {n} {later + n}\n" for n in range(60)) + "# EOF\n"
    code = (
        "from monlab.settings import settings; from monlab.stack import servers; import subprocess, sys\n"
        "tool = servers.present('prometheus', settings()).command('promtool')\n"
        "data = settings().state / 'data' / 'prometheus-data'\n"
        "subprocess.run([*tool, 'tsdb', 'create-blocks-from', 'openmetrics', sys.argv[1], data], check=True)"
    )
    (clone.home / "late.txt").write_text(text)
    clone.python(code.replace("sys.argv[1]", repr(str(clone.home / "late.txt"))))
    said = clone.lab("up", "m02")
    assert "prometheus holds samples from 61 minutes in the future" in said and "./lab reset" in said
    clone.lab("reset", "--yes")
    assert "future" not in clone.lab("up", "m02")


def test_a_proxy_of_the_environment_does_not_stand_between_the_lab_and_its_servers(clone):
    proxies = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}
    clone.environment.update(proxies)
    clone.lab("up", "m02")
    wait_for(clone, "count(last_over_time(up[10s]) == 1) == 5")
    said = clone.python(
        "from monlab import alerts, page, prom, pushgateway, stack\n"
        "print(len(prom.query('up')), pushgateway.push('a 1', job='j'), page('prometheus', grep='prometheus_build_info '))\n"
        "print(stack.reload('prometheus'), alerts.active().empty)"
    )
    assert "5 PUT" in said and "has read its configuration" in said


def test_a_service_that_does_not_run_cannot_be_restarted_and_one_that_gave_up_can(clone):
    asked = "from monlab import stack; from monlab.problem import LabProblem\ntry: print(stack.restart('prometheus').states)\nexcept LabProblem as e: print(e)"
    clone.lab("up", "m02")
    clone.lab("down")
    assert "prometheus does not run, so it cannot be restarted" in clone.python(asked)
    clone.lab("up", "m02")
    file = clone.repo / "workspace/prometheus/prometheus.yml"
    good = file.read_text("utf-8")
    file.write_text(good + "\nnonsense: [", "utf-8")
    assert "ended while it started" in clone.python(asked)
    file.write_text(good, "utf-8")
    clone.lab("up", "m02")
    assert clone.status()["prometheus"]["state"] in ("running", "restarted")


@pytest.mark.parametrize("what", ["lab.json", "endpoints.json"])
def test_a_state_that_cannot_be_read_is_named(clone, what):
    clone.lab("up", "m02")
    clone.lab("down")
    (clone.state / what).unlink()
    (clone.state / what).mkdir()
    said = clone.lab("status", code=1)
    assert f"{what}, which cannot be read: Is a directory" in said and "Traceback" not in said
    (clone.state / what).rmdir()


def test_links_in_the_workspace_lead_no_container_to_a_private_file(docker_clone):
    docker_clone.lab("up", "m02")
    docker_clone.lab("down")
    private = docker_clone.home / "private.txt"
    private.write_text("mine")
    private.chmod(0o600)
    rules = docker_clone.repo / "workspace/prometheus/rules"
    (rules / "link.txt").symlink_to(private)
    (rules / ".#link.txt").symlink_to("me@host.1234:5678")  # what Emacs makes while a file is edited
    docker_clone.lab("up", "m02")
    assert private.stat().st_mode & 0o777 == 0o600

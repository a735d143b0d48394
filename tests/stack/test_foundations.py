"""Module 1 against its real servers: tools beside metrics, exporters good and broken, the hidden burner, and what it all takes."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest
from clones import NATIVE, Clone, ended
from waits import until, wait_for

from monlab.machine import broken, hidden

pytestmark = [pytest.mark.module("m01"), pytest.mark.alone("compares what tools and metrics say of the whole machine")]
EXCUSED_AT_MOST = 3
PAIRS_AT_LEAST = 12
STACK_MB = 150


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A clone with module 1 up, shared by these tests."""
    made = Clone(tmp_path_factory.mktemp("foundations"), **NATIVE)
    made.lab("up", "m01")
    wait_for(made, "rate(node_cpu_seconds_total[20s])")  # the machine's metrics have been scraped twice
    yield made
    ended(made)


def told(lab, code: str) -> object:
    """What a piece of Python in the clone leaves in `answer`."""
    said = lab.python(
        f"import json\nfrom monlab import machine, prom, promtool, wait_until, workspace\n{code}\nprint('\\n' + json.dumps(answer))"
    )
    return json.loads(said.splitlines()[-1])


COMPARE = "answer = machine.compare(seconds={seconds}).to_dict('records')"


def agrees(rows: list[dict]) -> None:
    shown = [row for row in rows if row["agree"] != "cannot be shown"]
    assert len(shown) >= PAIRS_AT_LEAST
    assert not [row for row in shown if row["agree"] == "no"]
    excused = [row for row in shown if row["agree"] == "excused"]
    assert len(excused) <= EXCUSED_AT_MOST and all(row["why not"] for row in excused)
    assert all(row["why not"] for row in rows if row["agree"] == "cannot be shown")


def test_tools_and_metrics_agree_on_at_least_twelve_facts(lab):
    rows = told(lab, COMPARE.format(seconds=10))
    agrees(rows)
    assert {row["asked"] for row in rows} == {"Prometheus", "page"}


def test_they_agree_while_a_burner_works(lab):
    rows = told(lab, "machine.burn('cpu', cores=0.5, seconds=30)\n" + COMPARE.format(seconds=10) + "\nmachine.stop()")
    agrees(rows)
    assert next(row for row in rows if row["fact"] == "CPU, user")["metric says"] > 100 * 0.4 / (os.cpu_count() or 1)


RESTLESS = """
import itertools, socket, threading
def restless():
    for _turn in itertools.count():
        held = [socket.socket() for _ in range(40)]
        threading.Event().wait(0.3)
        for one in held:
            one.close()
        threading.Event().wait(0.3)
threading.Thread(target=restless, daemon=True).start()
"""


def test_they_agree_while_sockets_come_and_go(lab):
    agrees(told(lab, RESTLESS + COMPARE.format(seconds=1)))


def test_without_any_tool_the_table_is_made_from_proc(lab):
    code = "import os\nos.environ['PATH'] = '/nowhere'\n" + COMPARE.format(seconds=3)
    rows = told(lab, code)
    agrees(rows)
    assert {row["by the tool"].split()[0].rstrip(",").split("/")[1] for row in rows if "/" in row["by the tool"].split()[0]} == {
        "proc"
    }
    assert not [
        row for row in rows if row["by the tool"].split()[0] in ("free", "ss", "vmstat", "iostat", "df", "uptime", "nproc")
    ]


@pytest.mark.skipif(not shutil.which("unshare") or os.geteuid() != 0, reason="only root may make a container's view of its own")
def test_from_inside_a_container_at_most_three_facts_are_excused(lab):
    """Own processes and mounts, no /proc/pressure, and another /proc/meminfo mounted over the host's."""
    code = "import json\nfrom monlab import machine\n" + COMPARE.format(seconds=3) + "\nprint('\\n' + json.dumps(answer))"
    script = f"""
        set -e
        mount -t tmpfs none /proc/pressure
        exec {sys.executable} -c "$CODE"
    """
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "sh", "-c", script],
        cwd=lab.repo, env={**lab.environment, "CODE": code}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])
    agrees(rows)
    pressure = next(row for row in rows if row["fact"] == "some task waited for CPU")
    assert pressure["agree"] == "cannot be shown" and "no /proc/pressure/cpu here" in pressure["why not"]


@pytest.fixture
def open_folder():
    """A folder that another user may look into."""
    made = Path(tempfile.mkdtemp(dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever runs this is an ordinary user already")
def test_an_ordinary_user_gets_the_same_table_and_finds_his_own_burner(lab, open_folder):
    python = f"/usr/bin/python3.{sys.version_info.minor}"
    if not Path(python).exists():
        pytest.skip(f"another user cannot start {sys.executable}, and there is no {python}")
    for name in ("src", "stack", "course", "notebooks"):
        shutil.copytree(lab.repo / name, open_folder / name, symlinks=True)
    shutil.chown(open_folder, 65534, 65534)
    urls = {name: service["url"] for name, service in lab.status().items()}
    code = f"""
import json, os
from monlab import endpoints, machine
from monlab.settings import settings
settings().state.mkdir(parents=True)
endpoints.write(settings(), "native", {urls!r})
burn = machine.burn("disk", disk_mb=20, seconds=20)
rows = machine.compare(seconds=3).to_dict("records")
busiest = machine.ranked(by="writing", top=1).pid[0]
print("\\n" + json.dumps([os.geteuid(), rows, int(busiest) == burn.pid, machine.stop()]))
"""
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_STATE_HOME": str(open_folder / "state"),
        "PYTHONPATH": f"{open_folder / 'src'}:{sysconfig.get_path('purelib')}",
    }
    done = subprocess.run(
        [python, "-c", code], cwd=open_folder, env=environment, user=65534, group=65534, extra_groups=[],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    uid, rows, found, _ended = json.loads(done.stdout.splitlines()[-1])
    agrees(rows)
    assert uid == 65534 and found


@pytest.fixture(scope="module")
def trial(lab):
    """Every broken exporter, as Prometheus and promtool see it."""
    rows = told(
        lab,
        "shown = machine.exhibition()\n"
        "workspace.write('prometheus/targets/m01_broken.yml', shown.targets())\n"
        "answer = machine.trial(shown).to_dict('records')\n"
        "workspace.remove('prometheus/targets/m01_broken.yml')",
    )
    return {row["exporter"]: row for row in rows}


def test_there_are_at_least_fifteen_broken_exporters_with_every_outcome():
    assert len(broken.ALL) >= 15 and len(broken.BY_NAME) == len(broken.ALL)
    assert {one.prometheus for one in broken.ALL} == {broken.DOWN, broken.LOST, broken.SILENT}


@pytest.mark.parametrize("one", broken.ALL, ids=lambda one: one.name)
def test_a_broken_exporter_is_treated_as_it_says(trial, one):
    row = trial[one.name]
    assert row["Prometheus"] == one.prometheus
    assert one.message in row["it says"] and (bool(one.message) or row["it says"] == "nothing")
    assert one.promtool in row["promtool says"] and (bool(one.promtool) or row["promtool says"] == "nothing")
    assert len(one.sentence) > 30 and one.sentence.endswith(".")
    assert (one.prometheus == broken.DOWN) == bool(one.message), "who is down is told why"


def test_prometheus_and_promtool_disagree_both_ways(trial):
    assert [name for name, row in trial.items() if row["Prometheus"] == broken.DOWN and row["promtool says"] == "nothing"]
    assert [name for name, row in trial.items() if row["Prometheus"] == broken.SILENT and row["promtool says"] != "nothing"]


EXPORTER = "one = machine.run('files/m01/exporter.py', 'course=files/m01', 'gone=files/gone')\n"


def test_the_exporter_passes_promtool_is_scraped_and_shows_the_half_that_is_true(lab):
    found = told(
        lab,
        EXPORTER + "workspace.write('prometheus/targets/m01.yml', one.target(instance='exporter'))\n"
        "wait_until(lambda: prom.targets(instance='exporter', health='up'), seconds=20)\n"
        "wait_until(lambda: prom.query('folder_readable'), seconds=10)\n"
        "answer = {'says': promtool('check', 'metrics', stdin=one.get().text).text, 'kind': one.get().headers['Content-Type'],\n"
        " 'readable': prom.query('folder_readable')[['folder', 'value']].values.tolist(),\n"
        " 'files': prom.query('folder_files')[['folder', 'value']].values.tolist(),\n"
        " 'page': one.get().text, 'end': one.stop()}\n"
        "workspace.remove('prometheus/targets/m01.yml')",
    )
    assert found["says"] == "" and found["kind"].startswith("text/plain; version=0.0.4")
    assert sorted(found["readable"]) == [["course", 1.0], ["gone", 0.0]]
    assert found["files"] == [["course", len(list((lab.repo / "workspace" / "files" / "m01").iterdir()))]]
    page = found["page"]
    failures = [
        float(line.split()[1]) for line in page.splitlines() if line.startswith('folder_read_failures_total{folder="gone"}')
    ]
    assert failures and failures[0] >= 1 and 'folder_exporter_build_info{version="' in page
    counters = re.findall(r"^# TYPE (\w+) counter$", page, re.MULTILINE)
    assert counters and all(name.endswith("_total") for name in counters)
    assert "exit code 0" in found["end"] and "ended as asked" in found["end"]


def test_the_worker_counts_what_it_does(lab):
    found = told(
        lab,
        "one = machine.run('files/m01/worker.py')\n"
        "one.repeat('/hash?kb=10', times=5), one.repeat('/hash?kb=x', times=2), one.repeat('/some/path', times=3)\n"
        "answer = {'says': promtool('check', 'metrics', stdin=one.get().text).text, 'page': one.get().text, 'end': one.stop()}",
    )
    assert found["says"] == "" and "exit code 0" in found["end"]
    for line in (
        'worker_requests_total{code="200",route="/hash"} 5.0',
        'worker_requests_total{code="400",route="/hash"} 2.0',
        'worker_requests_total{code="404",route="other"} 3.0',
        "worker_requests_in_progress 0.0",
        'worker_request_duration_seconds_count{route="/hash"} 7.0',
    ):
        assert line in found["page"].splitlines()


def test_a_program_that_does_not_start_is_named_with_its_last_words(lab):
    found = told(
        lab,
        "workspace.write('files/m01/bad.py', 'raise SystemExit(\"no such database\")')\n"
        "try:\n    machine.run('files/m01/bad.py')\nexcept Exception as problem:\n    answer = str(problem)",
    )
    assert "bad.py did not come up" in found and "no such database" in found


def test_a_program_is_gone_when_the_kernel_is_killed(lab):
    code = (
        "import os, signal\nfrom monlab import machine\nmachine.run('files/m01/worker.py')\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    servers = {process.pid for process in lab.processes()}
    subprocess.run([sys.executable, "-c", code], cwd=lab.repo, env=lab.environment, check=False, timeout=60)

    until(lambda: {process.pid for process in lab.processes()} <= servers, 3, "worker.py has ended")


EVIDENCE = {
    "cpu": ("cpu", "rate(node_cpu_seconds_total{mode='user'}[20s])"),
    "system": ("cpu", "rate(node_cpu_seconds_total{mode='system'}[20s])"),
    "memory": ("memory", "node_memory_MemAvailable_bytes"),
    "disk": ("disk", "rate(node_disk_written_bytes_total[20s])"),
    "connections": ("network", "node_sockstat_TCP_alloc"),
}
WRONG_EVIDENCE = "node_time_seconds"
SORTED_BY = {"cpu": "cpu", "system": "cpu", "memory": "memory", "disk": "writing", "connections": "files"}


def test_there_is_evidence_for_each_hidden_load():
    assert EVIDENCE.keys() == SORTED_BY.keys() == hidden.LOADS.keys()


@pytest.mark.parametrize("kind", hidden.LOADS)
def test_the_hidden_burner_is_found_by_the_table_of_processes_and_named(lab, kind):
    resource, query = EVIDENCE[kind]
    found = told(
        lab,
        f"from monlab.machine import hidden, burner\nmachine.mystery({kind!r})\n"
        "pids = {one.pid for one in burner._started}\n"
        "def first():\n"
        f"    rows = machine.ranked(by={SORTED_BY[kind]!r}, top=200).to_dict('records')\n"
        "    return next(row['pid'] for row in rows if row['pid'] in pids)\n"
        "wait_until(lambda: first() == hidden._riddle.culprit.pid, seconds=15)\n"
        f"right = machine.reveal({resource!r}, first(), {query!r})\n"
        f"machine.mystery({kind!r})\n"
        "idle = next(one.pid for one in burner._started if one.asked.kind == 'idle')\n"
        f"wrong = machine.reveal('gpu', idle, {WRONG_EVIDENCE!r})\n"
        "answer = [right, wrong, machine.stop()]",
    )
    right, wrong, after = found
    assert f"Resource: {resource} is right." in right and "is right.\nEvidence: it shows in" in right
    assert "none of cpu, memory, disk, network" in wrong and "one of the idle ones" in wrong and "nothing in" in wrong
    assert after == "Nothing was burning."


def test_the_stack_stays_under_150_mb(lab):
    said = re.search(r"Resident memory: (\d+) MB", lab.lab("status"))
    assert said and int(said[1]) < STACK_MB


def test_the_checklist_of_the_machine_has_a_row_for_each_question(lab):
    rows = told(lab, "machine.scraped(3)\nanswer = machine.use().to_dict('records')")
    assert {row["asks"] for row in rows} == {"utilization", "saturation", "errors"}
    known = {(row["of"], row["asks"]): row["value"] for row in rows}
    assert 0 <= float(known["CPU", "utilization"]) <= 1 and 0 < float(known["memory", "utilization"]) < 1

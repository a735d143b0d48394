"""The archived month in real servers: loaded once into the cache, whole or not at all, served from this clone's own folder.

The month is a small one that is made up; what the real one holds is tested where it is made.
"""

import gzip
import json
import os
import re
import signal
from pathlib import Path

import images
import month_records
import numpy as np
import platformdirs
import psutil
import pytest
import requests
from clones import DOCKER, NATIVE, Clone, ended, named
from month_records import START_MS, made_up
from waits import in_time, quickest, slower, until

from monlab.archive.records import STALE

SERIES, LINES, TRACES = 60, 2400, 300
WARM_SECONDS = 1.5
ALL = ("month", "month-logs", "month-traces")
END_MS = START_MS + month_records.MINUTES * 60_000


class Archive:
    """A clone whose generator makes the small month, with a cache of its own that knows the servers of the real one."""

    def __init__(self, home: Path, cache: Path, series: int = SERIES, **engine: str) -> None:
        real = Path(platformdirs.user_cache_dir("monlab"))
        self.month = cache / "monlab" / "month"
        self.month.parent.mkdir(parents=True, exist_ok=True)
        for name in ("servers", "go"):
            if not (self.month.parent / name).exists():
                (self.month.parent / name).symlink_to(real / name)
        home.mkdir(exist_ok=True)
        self.clone = Clone(home, XDG_CACHE_HOME=str(cache), **engine)
        self.generate(f"made_up({series}, {LINES}, {TRACES})")

    def generate(self, what: str) -> None:
        """Puts another generator into the clone."""
        text = Path(month_records.__file__).read_text("utf-8")
        (self.clone.repo / "src/monlab/archive/generate.py").write_text(f"{text}\n\ndef month() -> Month:\n    return {what}\n")

    def parts(self) -> list[str]:
        """What lies in the cache, leftovers of a build included."""
        return sorted(path.name for path in self.month.glob("*") if path.suffix != ".lock") if self.month.exists() else []

    def url(self, service: str) -> str:
        return self.clone.status()[service]["url"]

    def prometheus(self, query: str, at_ms: int) -> list[dict]:
        answer = requests.get(f"{self.url('archive-prometheus')}/api/v1/query", params={"query": query, "time": at_ms / 1000})
        return answer.json()["data"]["result"]

    def throwaway(self) -> list[psutil.Process]:
        """Servers that load a part into this cache now."""
        found = []
        for process in psutil.process_iter():
            try:
                if str(self.month) in process.environ().get("MONLAB_MONTH", ""):
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found


@pytest.fixture
def archives(tmp_path):
    """Makes clones that share a cache; what they left running is ended afterwards."""
    made = []

    def one(name: str = "one", series: int = SERIES, **engine: str) -> Archive:
        made.append(Archive(tmp_path / name, tmp_path / "cache", series, **(engine or NATIVE)))
        return made[-1]

    yield one
    for archive in made:
        ended(archive.clone)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """All three parts up as processes, for tests that only look."""
    home = tmp_path_factory.mktemp("month")
    archive = Archive(home / "one", home / "cache", **NATIVE)
    archive.clone.lab("up", *ALL)
    yield archive
    ended(archive.clone)


MONTH = made_up(SERIES, LINES, TRACES)


def test_every_sample_of_the_month_is_served_as_it_was_made(served):
    url = f"{served.url('archive-prometheus')}/api/v1/query"
    for number, series in enumerate(MONTH.series):
        kept = ~np.isnan(series.values)
        selector = f'{series.labels["__name__"]}{{n="{number}"}}'
        question = {"query": f"{selector}[30d]", "time": (END_MS - 60_000) / 1000}
        [found] = requests.get(url, params=question, timeout=10).json()["data"]["result"]
        assert found["metric"] == series.labels
        times, values = zip(*found["values"], strict=True)
        assert np.array_equal(np.array(times) * 1000, MONTH.times_ms[kept]), selector
        assert np.array_equal(np.array(values, float), series.values[kept]), selector


def test_a_series_that_ended_is_gone_at_once_and_a_gap_is_bridged_for_five_minutes(served):
    ended_at = int(np.flatnonzero(MONTH.series[3].values.view(np.uint64) == STALE.view(np.uint64))[0])
    assert served.prometheus('{n="3"}', START_MS + ended_at * 60_000 - 1)
    assert not served.prometheus('{n="3"}', START_MS + ended_at * 60_000)
    assert served.prometheus('{n="2"}', START_MS + 104 * 60_000 - 1) and not served.prometheus('{n="2"}', START_MS + 105 * 60_000)


def test_a_question_that_would_load_the_whole_month_is_refused_and_the_next_is_answered(served):
    url = f"{served.url('archive-prometheus')}/api/v1/query"
    answer = requests.get(url, params={"query": "vector(1)[3000d:1s]", "time": END_MS / 1000}, timeout=30)
    assert answer.status_code == 422 and "too many samples" in answer.json()["error"]
    assert served.prometheus("vector(1)", END_MS)


def test_every_line_of_the_month_is_served_as_it_was_made(served):
    url = f"{served.url('archive-loki')}/loki/api/v1/query_range"
    for stream in MONTH.streams:
        pairs = ", ".join(f'{name}="{value}"' for name, value in stream.labels.items())
        question = {
            "query": f"{{{pairs}}}",
            "start": START_MS * 10**6,
            "end": END_MS * 10**6,
            "limit": 5000,
            "direction": "forward",
        }
        [found] = requests.get(url, params=question, timeout=10).json()["data"]["result"]
        assert found["stream"] == stream.labels
        assert [(int(time_ns), line) for time_ns, line in found["values"]] == list(
            zip(stream.times_ns.tolist(), stream.lines, strict=True)
        )


def test_every_span_of_a_trace_is_served_as_it_was_made(served):
    url = served.url("archive-jaeger")
    assert set(requests.get(f"{url}/api/services", timeout=10).json()["data"]) == set(month_records.SERVICES)
    for trace in list(MONTH.traces())[::50]:
        [found] = requests.get(f"{url}/api/traces/{trace.trace_id}", timeout=10).json()["data"]
        spans = {span["spanID"]: span for span in found["spans"]}
        assert len(spans) == len(trace.spans)
        for span in trace.spans:
            one = spans[span.span_id]
            tags = {tag["key"]: tag["value"] for tag in one["tags"]}
            assert one["operationName"] == span.name and found["processes"][one["processID"]]["serviceName"] == span.service
            assert one["startTime"] == span.start_ns // 1000 and one["duration"] == (span.end_ns - span.start_ns) // 1000
            assert {name: tags[name] for name in span.attributes} == dict(span.attributes)
            assert tags.get("error", False) == bool(span.error) and tags.get("otel.status_description", "") == span.error
            assert [reference["spanID"] for reference in one["references"]] == ([span.parent_id] if span.parent_id else [])
            assert [field["value"] for log in one["logs"] for field in log["fields"]] == list(span.events)


def test_traces_are_found_by_service_and_time(served):
    question = {"service": "gateway", "tags": json.dumps({"error": "true"}), "limit": 1000}
    question |= {"start": START_MS * 1000, "end": END_MS * 1000}
    found = requests.get(f"{served.url('archive-jaeger')}/api/traces", params=question, timeout=10).json()["data"]
    assert len(found) == sum(any(span.error for span in trace.spans) for trace in MONTH.traces())


def test_exemplars_lie_beside_the_metrics(served):
    [part] = served.month.glob("metrics-*")
    lines = gzip.decompress((part / "exemplars.jsonl.gz").read_bytes()).decode().splitlines()
    assert json.loads(lines[1]) == {
        "labels": dict(MONTH.exemplars[1].labels),
        "time_ms": MONTH.exemplars[1].time_ms,
        "value": MONTH.exemplars[1].value,
        "trace_id": MONTH.exemplars[1].trace_id,
    }
    assert len(lines) == len(MONTH.exemplars)


def test_up_again_builds_nothing_and_touches_no_server(served):
    before = {name: service["pid"] for name, service in served.clone.status().items()}
    said = served.clone.lab("up", *ALL)
    assert "building" not in said and {name: service["pid"] for name, service in served.clone.status().items()} == before


def test_a_clone_serves_links_to_what_never_changes_and_never_the_cache_itself(served):
    [block] = served.month.glob("metrics-*/data/*")
    [own] = (path for path in (served.clone.state / "data/archive-prometheus-data").glob("*") if path.name == block.name)
    assert (own / "chunks/000001").samefile(block / "chunks/000001") and (own / "index").samefile(block / "index")
    assert not (own / "meta.json").samefile(block / "meta.json")
    assert not (block / "index").stat().st_mode & 0o222, "a linked file must not be written through"


def test_only_the_part_that_is_asked_for_is_built_and_started(archives):
    archive = archives()
    archive.clone.lab("up", "month-logs")
    assert [name.partition("-")[0] for name in archive.parts()] == ["logs"] and set(archive.clone.status()) == {"archive-loki"}


@pytest.mark.alone("measures time")
def test_the_metrics_are_up_quickly_once_they_were_built(archives):
    archive = archives()
    assert "building the archived month (metrics)" in archive.clone.lab("up", "month")
    limit = WARM_SECONDS * slower()
    took = quickest(lambda: archive.clone.lab("up", "month"), limit, lambda: archive.clone.lab("down"))
    assert in_time(took, limit), f"{took:.1f} s, {limit:.1f} s on this machine now; usually 0.8 s"


def test_two_clones_at_once_build_once_and_both_serve(archives):
    one, two = archives("one"), archives("two")
    started = [archive.clone.begin("up", "month", *more) for archive, more in ((one, ()), (two, ("month-logs",)))]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0], said
    assert [name.partition("-")[0] for name in one.parts()] == ["logs", "metrics"]
    assert one.prometheus("count({n=~'.+'})", START_MS) == two.prometheus("count({n=~'.+'})", START_MS) != []


def test_the_same_month_makes_the_same_block(archives):
    archive = archives()
    seen = []
    for _ in range(2):
        archive.clone.lab("up", "month")
        [block] = archive.month.glob("metrics-*/data/*")
        seen.append([(block / name).read_bytes() for name in ("index", "chunks/000001")])
        archive.clone.lab("down")
        archive.month.rename(archive.month.with_name(f"before-{len(seen)}"))
    assert seen[0] == seen[1]


def builder(process) -> psutil.Process:
    """The process that builds for an `up` which runs."""
    return until(lambda: named(psutil.Process(process.pid).children(), "monlab.archive"), what="a build")


@pytest.mark.parametrize("part", ["month", "month-logs", "month-traces"])
def test_a_build_that_is_killed_leaves_no_server_and_the_next_up_works(archives, part):
    archive = archives(series=800)
    up = archive.clone.begin("up", part)
    building = builder(up)
    until(archive.throwaway, what="a server that is loaded")
    building.kill()
    said = up.communicate(timeout=30)[0]
    assert up.returncode == 1 and "The archived month could not be built: its process was ended. Run the same again." in said
    until(lambda: not archive.throwaway(), what="its server has ended")
    assert all(name.startswith(".") for name in archive.parts())
    archive.clone.lab("up", part)
    assert [name for name in archive.parts() if name.startswith(".")] == [] and len(archive.parts()) == 1


def test_a_killed_up_takes_its_build_along(archives):
    archive = archives(series=800)
    up = archive.clone.begin("up", "month")
    building = builder(up)
    until(archive.throwaway, what="a server that is loaded")
    up.kill()
    up.wait()
    psutil.wait_procs([building], timeout=15)
    assert not building.is_running()
    until(lambda: not archive.throwaway(), what="its server has ended")
    assert archive.parts() == []


def test_the_stop_button_ends_the_build(archives):
    archive = archives(series=800)
    up = archive.clone.begin("up", "month")
    until(archive.throwaway, what="a server that is loaded")
    up.send_signal(signal.SIGINT)
    said = up.communicate(timeout=30)[0]
    assert "Stopped while the archived month was built. The same command starts it afresh." in said and "Traceback" not in said
    assert up.returncode and not archive.throwaway() and archive.parts() == []


def test_servers_of_a_killed_build_are_found_by_their_mark_where_the_kernel_did_not_end_them(archives):
    """As on a Mac."""
    archive = archives()
    left = archive.month / ".metrics-0.new" / "work"
    left.mkdir(parents=True)
    stray = psutil.Popen(["sleep", "600"], env={**os.environ, "MONLAB_MONTH": str(left)})
    archive.clone.lab("up", "month")
    assert stray.wait(10) == -signal.SIGKILL and len(archive.parts()) == 1


def test_the_month_can_be_built_ahead_for_a_machine_without_time_or_network(archives):
    archive = archives()
    said = archive.clone.lab("fetch", "month", "month-logs")
    assert "The archived month is built: metrics, logs." in said and len(archive.parts()) == 2
    assert "building the archived month" not in archive.clone.lab("up", "month")
    assert "archived month" not in archive.clone.lab("fetch", "m02")


def test_another_generator_makes_the_month_anew_and_a_running_server_serves_it(archives):
    archive = archives()
    archive.clone.lab("up", "month", "month-logs")
    before = archive.clone.status()
    [first] = archive.month.glob("metrics-*")
    archive.generate(f"made_up({SERIES + 1}, {LINES}, {TRACES})")
    archive.clone.lab("up", "month")
    [count] = archive.prometheus("count({n=~'.+'})", START_MS)
    assert count["value"][1] == str(SERIES + 1)
    assert before["archive-prometheus"]["pid"] != archive.clone.status()["archive-prometheus"]["pid"]
    [second] = set(archive.month.glob("metrics-*")) - {first}  # the first stays: another copy of the course may use it
    archive.generate(f"made_up({SERIES + 2}, {LINES}, {TRACES})")
    archive.clone.lab("up", "month")
    left = set(archive.month.glob("metrics-*"))
    assert len(left) == 2 and second in left and first not in left, "only the one used last is kept beside the present one"


@pytest.mark.parametrize(
    ("part", "wrong", "sentence"),
    [
        ("month", "replace(made, series=made.series + made.series[:1])", r"Prometheus (refused samples|made 1 blocks with)"),
        (
            "month-logs",
            "replace(made, streams=made.streams + made.streams[:1])",
            r"Loki (refused lines|holds [\d,]+ of [\d,]+ lines)",
        ),
        (
            "month-traces",
            "replace(made, tell=lambda: (replace(t, spans=(*t.spans, t.spans[0])) for t in made.traces()))",
            "Jaeger holds 10 of 11 spans",
        ),
    ],
)
def test_a_wrong_generator_is_found_while_it_is_loaded(archives, part, wrong, sentence):
    archive = archives()
    archive.generate(f"(lambda made, replace: {wrong})(made_up(9, {LINES}, {TRACES}), __import__('dataclasses').replace)")
    said = archive.clone.lab("up", part, code=1)
    assert "Traceback" not in said and re.search(sentence, said), said
    assert archive.parts() == []


def test_servers_elsewhere_are_asked_and_nothing_is_built(served, tmp_path):
    handed_out = tmp_path / "endpoints.yaml"
    handed_out.write_text("".join(f"{name}: {service['url']}\n" for name, service in served.clone.status().items()))
    student = Archive(tmp_path / "student", tmp_path / "cache", LAB_ENDPOINTS=str(handed_out))
    said = student.clone.lab("up", *ALL)
    assert "Run by somebody else" in said and student.parts() == []
    assert {name: one["state"] for name, one in student.clone.status().items()} == dict.fromkeys(served.clone.status(), "running")


@pytest.fixture
def month_images(daemon):
    return images.make(daemon, *ALL)


def test_docker_serves_the_month_from_volumes_that_are_filled_once(archives, month_images):
    archive = archives(**DOCKER)
    said = archive.clone.lab("up", *ALL)
    assert said.count("docker: filling") >= 1 and {one["state"] for one in archive.clone.status().values()} == {"running"}
    [count] = archive.prometheus("count({n=~'.+'})", START_MS)
    assert count["value"][1] == str(SERIES)
    question = {"query": 'sum(count_over_time({service=~".+"}[31d]))', "time": END_MS // 1000}
    loki = f"{archive.url('archive-loki')}/loki/api/v1/query"
    assert requests.get(loki, params=question, timeout=10).json()["data"]["result"][0]["value"][1] == str(LINES)
    trace = f"{archive.url('archive-jaeger')}/api/traces/{month_records.trace_id(7)}"
    assert len(requests.get(trace, timeout=10).json()["data"][0]["spans"]) == 10
    archive.clone.lab("down")
    assert "filling" not in archive.clone.lab("up", "month")
    archive.generate(f"made_up({SERIES + 1}, {LINES}, {TRACES})")
    assert "filling archive-prometheus" in archive.clone.lab("up", "month")
    [count] = archive.prometheus("count({n=~'.+'})", START_MS)
    assert count["value"][1] == str(SERIES + 1)

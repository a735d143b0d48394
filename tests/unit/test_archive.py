"""Release archives from a local file server: good, truncated, wrong checksum, hanging, trickling, absent."""

import hashlib
import io
import sys
import tarfile
import threading
import time
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import standin_grafana

from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.stack.servers import archive, golang
from monlab.stack.servers import get as get_server
from monlab.stack.servers.recipe import recipes

PROGRAM = b"#!/bin/sh\necho pushgateway\n"


def tarball(*names: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = len(PROGRAM)
            tar.addfile(entry, io.BytesIO(PROGRAM))
    return out.getvalue()


class Releases:
    """A release host whose answers a test decides."""

    def __init__(self) -> None:
        self.serve("pushgateway", tarball("pushgateway-1/pushgateway", "pushgateway-1/../../../evil", "pushgateway-1/LICENSE"))
        self.way = "good"
        self.asked = 0
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                outer.answer(self)

            def log_message(self, *_words: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def serve(self, name: str, body: bytes) -> None:
        """Lets the host have this archive of this server."""
        self.name, self.body, self.checksum = name, body, hashlib.sha256(body).hexdigest()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if self.way == "hang":
            self.closing.wait(30)
            return
        if self.way == "absent":
            request.send_error(404)
            return
        recipe = recipes(settings())[self.name]
        names = {"version": recipe.version, "os": "linux", "arch": archive.MACHINES["x86_64"]}
        sums = request.path.endswith(recipe.checksums.format(**names).rpartition("/")[2])
        file = recipe.archive.format(**names).rpartition("/")[2]
        listed = f"{self.checksum}\n" if recipe.whole else f"{self.checksum}  {file}\n"
        body = listed.encode() if sums else self.body
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if sums or self.way == "good":
            request.wfile.write(body)
        elif self.way == "truncated":
            request.wfile.write(body[: len(body) // 2])
        elif self.way in ("stall", "trickle"):
            request.wfile.write(body[:10])
            for byte in body[10:] if self.way == "trickle" else b"":
                request.wfile.write(bytes([byte]))
                if self.closing.wait(0.2):
                    return
            self.closing.wait(30)


@pytest.fixture
def releases(monkeypatch):
    made = Releases()
    monkeypatch.setattr(archive, "_silent_hosts", set())
    monkeypatch.setattr(archive, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(archive.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(archive.platform, "system", lambda: "Linux")
    yield made
    made.closing.set()
    made.server.shutdown()
    made.server.server_close()


def fetched(releases, tmp_path):
    config = replace(settings(), releases=releases.url, cache=tmp_path / "cache")
    into = tmp_path / "into"
    into.mkdir(parents=True)
    return archive.fetch(recipes(config)[releases.name], into, config, lambda line: None), into


def test_a_zip_gives_its_program_under_our_name_and_nothing_else(releases, tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in ("loki-linux-amd64", "../evil", "LICENSE"):
            packed.writestr(name, PROGRAM)
    releases.serve("loki", out.getvalue())
    _facts, into = fetched(releases, tmp_path)
    assert (into / "loki").read_bytes() == PROGRAM and (into / "loki").stat().st_mode & 0o111
    assert [path.name for path in into.iterdir()] == ["loki"] and not (tmp_path / "evil").exists()
    releases.serve("loki", b"PK no zip")
    with pytest.raises(LabProblem, match="is not a zip archive"):
        fetched(releases, tmp_path / "again")


def test_a_whole_archive_gives_all_its_plain_files_below_one_folder(releases, tmp_path):
    releases.serve("grafana", standin_grafana.archive(sys.executable))
    facts, into = fetched(releases, tmp_path)
    files = {path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file()}
    assert files == {"bin/grafana", "conf/defaults.ini", "public/build/app.js"} and not list(tmp_path.rglob("evil"))
    assert (into / "bin/grafana").stat().st_mode & 0o111 and not (into / "conf/defaults.ini").stat().st_mode & 0o111
    assert not (into / "conf/link").is_symlink() and facts["sha256"] == releases.checksum
    releases.serve("grafana", tarball("grafana-1/conf/defaults.ini"))
    with pytest.raises(LabProblem, match="does not hold grafana"):
        fetched(releases, tmp_path / "again")
    releases.serve("grafana", b"<html>not found</html>")
    with pytest.raises(LabProblem, match="is not a tar archive"):
        fetched(releases, tmp_path / "once more")


def test_each_archive_comes_from_its_own_host_unless_a_mirror_is_named(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(archive, "_silent_hosts", set())
    monkeypatch.setattr(archive.requests, "get", lambda url, **_more: asked.append(url) or refuse())

    def refuse():
        raise archive.requests.ConnectionError

    for name, host, mirror in (
        ("grafana", "https://dl.grafana.com/grafana/release/", ""),
        ("pushgateway", "https://github.com/prometheus/", ""),
        ("grafana", "http://mirror.example/grafana/release/", "http://mirror.example"),
    ):
        config = settings({"LAB_RELEASES": mirror})
        with pytest.raises(LabProblem, match="Release archives cannot be had from"):
            archive.fetch(recipes(config)[name], tmp_path, config, lambda line: None)
        assert asked.pop().startswith(host)


def test_a_good_archive_gives_the_programs_and_nothing_else(releases, tmp_path):
    facts, into = fetched(releases, tmp_path)
    assert (into / "pushgateway").read_bytes() == PROGRAM and (into / "pushgateway").stat().st_mode & 0o111
    assert [path.name for path in into.iterdir()] == ["pushgateway"] and not (tmp_path / "evil").exists()
    assert facts["sha256"] == releases.checksum


@pytest.mark.parametrize(
    ("way", "words"),
    [("truncated", "broke off after"), ("stall", "broke off after"), ("trickle", "too slow"), ("absent", "answered 404")],
)
def test_a_bad_download_is_told_and_leaves_nothing(releases, tmp_path, way, words):
    releases.way = way
    with pytest.raises(LabProblem, match=words):
        fetched(releases, tmp_path)
    assert not list((tmp_path / "into").iterdir())


def test_a_wrong_checksum_throws_the_archive_away(releases, tmp_path):
    releases.checksum = "0" * 64
    with pytest.raises(LabProblem, match="not the one its release names"):
        fetched(releases, tmp_path)
    assert not list((tmp_path / "into").iterdir())


def test_an_archive_without_the_program_is_refused(releases, tmp_path):
    releases.body = tarball("pushgateway-1/LICENSE")
    releases.checksum = hashlib.sha256(releases.body).hexdigest()
    with pytest.raises(LabProblem, match="does not hold pushgateway"):
        fetched(releases, tmp_path)


def test_a_host_that_hangs_costs_under_three_seconds_once(releases, tmp_path):
    releases.way = "hang"
    start = time.monotonic()
    for number in range(5):
        with pytest.raises(LabProblem, match=r"Release archives cannot be had from 127\.0\.0\.1"):
            fetched(releases, tmp_path / str(number))
    assert time.monotonic() - start < 3 and releases.asked == 1


def test_the_archive_is_taken_before_go_and_kept_in_the_cache(releases, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    config = replace(settings(), releases=releases.url, cache=tmp_path / "cache")
    first = get_server("pushgateway", config, lambda line: None)
    assert first.source == "archive" and Path(*first.command("pushgateway")).read_bytes() == PROGRAM
    asked = releases.asked
    assert get_server("pushgateway", config, lambda line: None).source == "archive" and releases.asked == asked
    program = Path(*first.command("pushgateway"))
    program.unlink()  # somebody tidied the cache up
    assert get_server("pushgateway", config, lambda line: None).source == "archive" and program.read_bytes() == PROGRAM


def test_after_a_refused_archive_the_next_way_is_tried_and_the_person_is_told(releases, tmp_path, monkeypatch):
    releases.checksum = "0" * 64
    monkeypatch.setenv("PATH", "/usr/bin:/bin")

    def refuse(*_arguments: object) -> dict:
        raise LabProblem("Go is not here today.")

    monkeypatch.setattr(golang, "build", refuse)
    config = replace(settings(), releases=releases.url, cache=tmp_path / "cache")
    said: list[str] = []
    with pytest.raises(LabProblem) as caught:
        get_server("pushgateway", config, said.append)
    assert "not the one its release names" in str(caught.value) and "Go is not here today" in str(caught.value)
    assert any("Trying the next way" in line for line in said)
    assert not [path for path in (tmp_path / "cache" / "servers").iterdir()]


def test_a_server_on_path_in_the_pinned_version_comes_first(releases, tmp_path, monkeypatch):
    version = recipes(settings())["pushgateway"].version
    for name, text in (("right", f"pushgateway, version {version} (x)"), ("wrong", "pushgateway, version 0.0.1 (x)")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pushgateway").write_text(f"#!/bin/sh\necho '{text}'\n")
        (folder / "pushgateway").chmod(0o755)
    config = replace(settings(), releases=releases.url, cache=tmp_path / "cache")
    monkeypatch.setenv("PATH", f"{tmp_path / 'right'}:/usr/bin:/bin")
    assert get_server("pushgateway", config, lambda line: None).source == "path"
    monkeypatch.setenv("PATH", f"{tmp_path / 'wrong'}:/usr/bin:/bin")
    assert get_server("pushgateway", config, lambda line: None).source == "archive"


def test_what_go_said_is_told_once_and_as_a_sentence():
    line = 'x@v1.zip: Get "https://proxy.golang.org/x": dial tcp: lookup proxy.golang.org: network is unreachable'
    said = golang._reason(["go: downloading x v1", line, line])
    assert said.startswith("the sources could not be fetched; is there a network?") and said.count("unreachable") == 1
    assert said.endswith("network is unreachable.")

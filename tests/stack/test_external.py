"""A stack that somebody else runs: used as it is, never changed, and doubted where it is not what it says."""

import http.server
import threading

import pytest


def test_up_shows_what_answers_and_changes_nothing(running, student):
    before = {name: service["pid"] for name, service in running.status().items()}
    said = student.lab("up", "m02")
    assert "Run by somebody else" in said and "endpoints.yaml" in said
    assert {name: service["version"] for name, service in student.status().items()} == {
        name: service["version"] for name, service in running.status().items()
    }
    assert not student.processes()
    assert "Nothing was ended: somebody else runs these servers" in student.lab("down")
    assert {name: service["pid"] for name, service in running.status().items()} == before


@pytest.mark.parametrize("order", ["restart", "kill", "pause", "reload", "disconnect"])
def test_what_would_change_a_server_is_left_out_with_a_sentence(student, order):
    student.lab("up", "m02")
    code = f"from monlab import stack; from monlab.problem import Elsewhere\ntry: stack.{order}('prometheus')\nexcept Elsewhere as e: print(e)"
    assert "Changing prometheus is left out: somebody else runs these servers" in student.python(code)


def test_a_cell_that_would_change_a_server_ends_without_an_error_and_the_next_runs(student):
    student.lab("up", "m02")
    said = student.python(
        "from nbclient import NotebookClient; import nbformat.v4 as v4\n"
        "cells = ['from monlab import stack, prom, pushgateway, workspace\\nx = 1',\n"
        '         \'x = 2\\nstack.reload("prometheus")\\nx = 3\', \'pushgateway.push("a 1", job="j")\',\n'
        '         \'workspace.write("prometheus/rules/x.yml", "a")\', \'stack.own("prometheus")\\nx = 4\', \'print(x, len(prom.query("up{job=`prometheus`}")))\']\n'
        "book = v4.new_notebook(cells=[v4.new_code_cell(text) for text in cells])\n"
        "NotebookClient(book).execute()\n"
        "for cell in book.cells: print([output.get('text') or output['data'].get('text/markdown') for output in cell.outputs])"
    )
    assert said.count("is left out: somebody else runs these servers") == 4 and "2 1" in said, said


class _Impostor(http.server.BaseHTTPRequestHandler):
    """Answers 200 to everything, as a web server or a captive portal does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html><h1>Welcome to the printer</h1></html>")

    def log_message(self, *_words: object) -> None:
        return


@pytest.fixture
def impostor():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Impostor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def endpoints(student, **changed: str) -> None:
    path = student.home.parent / "endpoints.yaml"
    lines = dict(line.split(": ", 1) for line in path.read_text("utf-8").splitlines())
    path.write_text("".join(f"{name}: {url}\n" for name, url in {**lines, **changed}.items() if url), "utf-8")


def test_an_address_where_nobody_answers(student):
    endpoints(student, alertmanager="http://127.0.0.1:9")
    said = student.lab("up", "m02", code=1)
    assert "alertmanager does not answer at http://127.0.0.1:9/-/ready: connection refused. Ask who runs it" in said
    assert "unset LAB_ENDPOINTS" in said and "Traceback" not in said


def test_an_address_where_something_else_answers(student, impostor):
    endpoints(student, prometheus=impostor)
    said = student.lab("up", "m02", code=1)
    assert "it is not prometheus: its /metrics has no prometheus_build_info" in said and "Welcome to the printer" in said


def test_an_address_with_a_typing_error_and_a_password(student):
    endpoints(student, prometheus="http://me:secret@10.0.0..5:9090")
    said = student.lab("up", "m02", code=1)
    assert "prometheus does not answer at http://10.0.0..5:9090" in said and "secret" not in said and "Traceback" not in said


def test_without_the_variable_the_clone_runs_servers_of_its_own_again(student):
    student.lab("up", "m02")
    del student.environment["LAB_ENDPOINTS"]
    student.environment["LAB_ENGINE"] = "native"
    assert "Runs as processes" in student.lab("up", "m02")
    assert len(student.processes()) == 6


def test_a_relative_file_holds_in_the_notebook_too(student):
    student.environment["LAB_ENDPOINTS"] = "../../endpoints.yaml"
    said = student.lab("run", "m00")
    assert "m00 passed." in said and "engine: external" in said and "cannot be read" not in said
    assert "Run by somebody else" in student.lab("up", "m02")


def test_two_addresses_that_were_exchanged(student, running):
    endpoints(student, pushgateway=running.status()["alertmanager"]["url"])
    assert "it is not pushgateway" in student.lab("up", "m02", code=1)


def test_a_server_that_goes_away_later_is_told_by_status(student, impostor):
    student.lab("up", "m02")
    endpoints(student, prometheus=impostor)
    assert student.status()["prometheus"]["state"] == "failed"
    said = student.lab("doctor", code=1)
    assert "it is not prometheus" in " ".join(said.split())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "should hold one line a service"),
        ("just words", "should hold one line a service"),
        ("prometheus: [", "is no YAML or JSON"),
        ("promtheus: http://127.0.0.1:1", "Did you mean prometheus?"),
        ("prometheus: 127.0.0.1:9090", "is no URL of prometheus"),
        ("prometheus: http://127.0.0.1:9090", "does not say where alertmanager is"),
        ("prometheus: 2026-13-45", "is no"),
    ],
)
def test_a_file_that_says_too_little_or_nonsense(student, text, words):
    (student.home.parent / "endpoints.yaml").write_text(text, "utf-8")
    said = " ".join(student.lab("up", "m02", code=1).split())
    assert words in said and "Traceback" not in said


def test_a_file_that_is_not_there(student):
    (student.home.parent / "endpoints.yaml").unlink()
    assert "which cannot be read: No such file" in " ".join(student.lab("up", "m02", code=1).split())

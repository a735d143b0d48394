"""The native engine with its real servers: what a person sees when all is well."""

import re
import shutil
import subprocess
import time

import psutil
import pytest
import requests
from shops import Shop
from waits import in_time, quickest, slower, wait_for

from monlab.settings import settings
from monlab.stack.servers.recipe import recipes
from monlab.stack.supervisor import at_work

# Prometheus alone needs about a third of a second here; the import of Python's side is part of the figure.
WARM_SECONDS = 0.5 + 2


def test_up_starts_every_server_of_the_module_and_no_other(running):
    assert set(running.status()) == {"prometheus", "alertmanager", "pushgateway", "node_exporter", "blackbox_exporter"}
    assert {service["state"] for service in running.status().values()} == {"running"}


def test_every_built_server_reports_its_version(running):
    versions = {recipe.name: recipe.version for recipe in recipes(settings()).values()}
    wait_for(running, "count(last_over_time(up[10s]) == 1) == 5")
    reported = {
        series["metric"]["__name__"]: series["metric"]["version"] for series in running.query('{__name__=~".+_build_info"}')
    }
    for name in ("prometheus", "alertmanager", "node_exporter", "pushgateway", "blackbox_exporter"):
        assert reported[f"{name}_build_info"] == versions[name]
    assert running.status()["prometheus"]["version"] == versions["prometheus"]


def test_nothing_listens_anywhere_but_on_loopback(running):
    pids = {process.pid for process in running.processes()}
    listed = subprocess.run(["ss", "-Hltunp"], capture_output=True, text=True, check=True).stdout.splitlines()
    ours = [line.split() for line in listed if any(f"pid={pid}," in line for pid in pids)]
    assert len(ours) == 5, listed
    assert all(re.match(r"127\.0\.0\.1:\d+$", words[4]) for words in ours), ours


def test_the_whole_module_stays_under_300_megabytes(running):
    assert sum(service["rss_bytes"] for service in running.status().values()) < 300e6
    assert sum(process.memory_info().rss for process in running.processes()) < 300e6  # the supervisor included


def test_up_when_all_is_up_touches_nothing(running):
    before = {name: service["pid"] for name, service in running.status().items()}
    running.lab("up", "m02")
    assert {name: service["pid"] for name, service in running.status().items()} == before


@pytest.mark.alone("measures time")
def test_warm_up_is_ready_within_two_seconds_of_the_slowest_server(clone):
    clone.lab("up", "m02")
    limit = WARM_SECONDS * slower()
    took = quickest(lambda: clone.python("from monlab import stack; stack.up('m02')"), limit, lambda: clone.lab("down"))
    assert in_time(took, limit), f"{took:.1f} s, {limit:.1f} s on this machine now; usually 0.9 s"


def test_job_and_instance_are_the_same_in_another_port_block(running, clone):
    clone.lab("up", "m02")  # the standard ports are taken by `running`
    question = "count by (job, instance) (last_over_time(up[10s]))"
    for one in (running, clone):
        wait_for(one, "count(last_over_time(up[10s]) == 1) == 5")
    labels = [sorted((s["metric"]["job"], s["metric"]["instance"]) for s in one.query(question)) for one in (running, clone)]
    assert labels[0] == labels[1] and ("prometheus", "prometheus:9090") in labels[0]
    ports = [{service["url"] for service in one.status().values()} for one in (running, clone)]
    assert not ports[0] & ports[1]


def test_alerts_reach_alertmanager_in_another_port_block(running, clone):
    clone.lab("up", "m02")
    address = clone.status()["prometheus"]["url"] + "/api/v1/alertmanagers"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        managers = requests.get(address, timeout=5).json()["data"]["activeAlertmanagers"]
        if managers:
            break
    assert [manager["url"] for manager in managers] == [clone.status()["alertmanager"]["url"] + "/api/v2/alerts"]


def test_up_is_a_union_and_down_ends_only_what_no_other_module_needs(clone):
    compose = clone.repo / "stack" / "compose.yaml"
    text = compose.read_text("utf-8")
    head, gateway, tail = text.partition("\n  pushgateway:\n")
    compose.write_text(head + gateway + tail.replace("profiles: [m02, shop]", "profiles: [m02, shop, m77]", 1), "utf-8")
    assert "Up: m77" in clone.lab("up", "m77")
    assert set(clone.status()) == {"pushgateway"}
    pid = clone.status()["pushgateway"]["pid"]
    clone.lab("up", "m02")
    assert len(clone.status()) == 5
    said = clone.lab("down", "m02")
    assert "Still up: m77" in said and "pushgateway" not in said
    assert set(clone.status()) == {"pushgateway"} and clone.status()["pushgateway"]["pid"] == pid
    assert "Ended pushgateway" in clone.lab("down", "m77")
    assert not clone.processes()


def test_up_says_when_a_file_of_the_learner_hides_a_newer_one_of_the_course(clone):
    clone.lab("up", "m02")
    for path in ("workspace/prometheus/prometheus.yml", "stack/prometheus/prometheus.yml"):
        file = clone.repo / path
        file.write_text(file.read_text("utf-8") + f"# {path}\n", "utf-8")
    assert "prometheus/prometheus.yml is newer in the course and you have changed yours" in clone.lab("up", "m02")


def test_down_ends_everything_and_touches_no_other_clone_and_no_stranger(running, clone):
    clone.lab("up", "m02")
    mine = clone.processes()
    ports = [service["url"] for service in clone.status().values()]
    stranger = subprocess.Popen(["sleep", "300"])
    others = {process.pid for process in running.processes()}
    try:
        clone.lab("down")
        assert not clone.processes()
        assert not any(map(at_work, mine))
        assert not [c for c in psutil.net_connections() if c.status == "LISTEN" and f"http://127.0.0.1:{c.laddr[1]}" in ports]
        assert stranger.poll() is None and {process.pid for process in running.processes()} == others
    finally:
        stranger.kill()
        stranger.wait()
    assert clone.status() == {} and "Nothing was running" in clone.lab("down")


def test_status_tells_engine_and_services_for_programs(running):
    service = running.status()["prometheus"]
    assert service["pid"] and service["container"] is None and service["url"].startswith("http://127.0.0.1:")
    assert '"engine": "native"' in running.lab("status", "--json")


def test_logs_prints_what_a_server_said(running):
    assert "Server is ready to receive web requests" in running.lab("logs", "prometheus", "--lines", "500")
    assert "Did you mean prometheus?" in running.lab("logs", "promtheus", code=1)


def test_the_reload_of_a_broken_file_says_what_the_server_said(clone):
    clone.lab("up", "m02")
    (clone.repo / "workspace/prometheus/rules/mine.yml").write_text("groups: [{name: x, rules: [{record: y, expr: 'sum('}]}]")
    said = clone.python(
        "from monlab import stack\nfrom monlab.problem import LabProblem\n"
        "try:\n    stack.reload('prometheus')\nexcept LabProblem as problem:\n    print(problem)"
    )
    assert "refused the new configuration" in said and "rules/mine.yml" in said and "parse error" in said
    assert str(clone.home) not in said


def test_a_database_outlives_the_lab_s_secrets_and_takes_the_new_password(clone):
    clone.lab("up", "shop-core")
    before = Shop(clone).placed().json()["order_id"]
    clone.lab("down")
    shutil.rmtree(clone.state / "secrets")
    clone.lab("up", "shop-core")
    shop = Shop(clone)
    assert shop.state(before)["order_id"] == before
    assert shop.placed().json()["order_id"] != before

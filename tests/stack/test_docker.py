"""The Docker engine with its real containers, around the servers of this machine."""

import json
import subprocess

import pytest
import requests
from hardening import assert_hardened
from images import PREFIX
from waits import wait_for

from monlab.settings import settings
from monlab.stack import compose

SETTINGS = settings()
DESCRIPTION = compose.load(SETTINGS.compose_file, SETTINGS.versions_file, PREFIX)
M02 = DESCRIPTION.for_modules({"m02"})


@pytest.mark.parametrize("module", DESCRIPTION.modules)
def test_compose_accepts_the_file_for_every_profile(daemon, module):
    command = ["docker", "compose", "-f", "stack/compose.yaml", "--profile", module, "config", "--format", "json"]
    done = subprocess.run(command, cwd=SETTINGS.repo, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == {service.name for service in DESCRIPTION.for_modules({module})}
    for name, service in services.items():
        assert hardened_as_written(service), name


def hardened_as_written(service: dict) -> bool:
    return (
        int(service["mem_limit"]) > 0
        and service["cap_drop"] == ["ALL"]
        and service["security_opt"] == ["no-new-privileges:true"]
        and service["read_only"]
        and not service.get("privileged")
        and not service.get("cap_add")
        and all(port["host_ip"] == "127.0.0.1" for port in service["ports"])
    )


def test_every_container_is_limited_and_hardened_and_on_loopback(running_docker, daemon):
    for name, service in running_docker.status().items():
        assert_hardened(daemon, name, service["container"], "65534:65534")


def test_up_starts_every_service_but_a_guest_without_an_image_and_says_so(running_docker):
    assert set(running_docker.status()) == {service.name for service in M02 if not service.guest}
    assert {service["state"] for service in running_docker.status().values()} == {"running"}
    assert all(service["container"] and service["rss_bytes"] for service in running_docker.status().values())
    said = running_docker.lab("up", "m02")
    assert "Runs in Docker" in said and "Without cadvisor: " in said and "cannot be pulled" in said


def test_up_when_all_is_up_touches_nothing(running_docker):
    before = {name: service["pid"] for name, service in running_docker.status().items()}
    running_docker.lab("up", "m02")
    assert {name: service["pid"] for name, service in running_docker.status().items()} == before


def test_job_and_instance_are_the_same_on_all_three_engines(running, running_docker, student):
    student.lab("up", "m02")
    labels = []
    now = (
        "last_over_time(up[10s])"  # a job that was taken out of the configuration lingers for five minutes: it gets no stale mark
    )
    for one in (running, running_docker, student):
        wait_for(one, f"count({now} == 1) == 5")
        labels.append(
            sorted((s["metric"]["job"], s["metric"]["instance"]) for s in one.query(f"count by (job, instance) ({now})"))
        )
    assert labels[0] == labels[1] == labels[2] and ("prometheus", "prometheus:9090") in labels[0]


def test_every_server_reports_its_version(running_docker):
    wait_for(running_docker, "count(last_over_time(up[10s]) == 1) == 5")
    for service in M02:
        if not service.guest:
            [series] = running_docker.query(service.build_info)
            assert series["metric"]["version"] == service.version


def test_tools_run_in_containers_and_see_the_workspace(running_docker):
    said = running_docker.python(
        "from monlab import promtool, amtool\n"
        "print(promtool('check', 'config', 'prometheus/prometheus.yml'))\n"
        "print(amtool('check-config', 'alertmanager/alertmanager.yml'))\n"
        "print(promtool('check', 'rules', stdin='groups: [{name: x, rules: [{record: y, expr: sum(}]}]'))"
    )
    assert said.count("[ok]") == 2 and "parse error" in said and "[refused]" in said and "/workspace" not in said


def test_logs_and_restart(docker_clone):
    docker_clone.lab("up", "m02")
    assert "Server is ready to receive web requests" in docker_clone.lab("logs", "prometheus", "--lines", "500")
    pid = docker_clone.status()["alertmanager"]["pid"]
    docker_clone.python("from monlab import stack; stack.restart('alertmanager')")
    after = docker_clone.status()["alertmanager"]
    assert after["pid"] != pid and after["state"] == "running", "a restart that was asked for is no crash"


def test_a_changed_file_is_read_after_a_reload_even_where_files_are_private(docker_clone):
    docker_clone.lab("up", "m02")
    file = docker_clone.repo / "workspace/prometheus/rules/mine.yml"
    file.write_text("groups: [{name: x, rules: [{record: my:answer, expr: '42'}]}]", "utf-8")
    file.chmod(0o600)
    docker_clone.python("from monlab import stack; stack.reload('prometheus')")
    wait_for(docker_clone, "my:answer == 42")
    file.write_text("groups: [{name: x, rules: [{record: y, expr: 'sum('}]}]", "utf-8")
    said = docker_clone.python(
        "from monlab import stack\nfrom monlab.problem import LabProblem\n"
        "try:\n    stack.reload('prometheus')\nexcept LabProblem as problem:\n    print(problem)"
    )
    assert "refused the new configuration" in said and "mine.yml" in said and "parse error" in said


def test_chaos_pause_and_network(docker_clone):
    docker_clone.lab("up", "m02")
    docker_clone.python("from monlab import stack; stack.pause('node_exporter'); stack.disconnect('pushgateway')")
    assert docker_clone.status()["node_exporter"]["state"] == "paused"
    wait_for(docker_clone, 'up{job="node"} == 0')
    wait_for(docker_clone, 'up{instance="pushgateway:9091"} == 0')
    docker_clone.python("from monlab import stack; stack.unpause('node_exporter'); stack.connect('pushgateway')")
    wait_for(docker_clone, "count(last_over_time(up[10s]) == 1) == 5")
    assert requests.get(docker_clone.status()["pushgateway"]["url"] + "/-/ready", timeout=5).ok


def test_what_processes_cannot_do_is_refused_with_a_sentence(running):
    said = running.python(
        "from monlab import stack\nfrom monlab.problem import LabProblem\n"
        "print(stack.pause('pushgateway'), stack.status(), stack.unpause('pushgateway'))\n"
        "try:\n    stack.disconnect('pushgateway')\nexcept LabProblem as problem:\n    print(problem)"
    )
    assert "paused" in said and "cannot be cut off alone. With Docker it can." in said


def test_down_touches_nothing_that_is_not_the_labs(docker_clone, daemon):
    docker_clone.lab("up", "m02")
    project = docker_clone.project
    image = next(service.image for service in DESCRIPTION.services.values() if service.name == "pushgateway")
    strangers: list[object] = []
    try:
        network = daemon.networks.create(f"{project}_default_mine")
        volume = daemon.volumes.create(f"{project}_prometheus-data-mine")
        strangers += [network, volume]
        labels = [{}, {"com.docker.compose.project": f"{project}x"}, {"com.docker.compose.project": "monlab"}]
        for number, label in enumerate(labels):
            label = {**label, "com.docker.compose.service": "prometheus"} if label else {}
            name = f"{project}-prometheus-{number + 2}"
            one = daemon.containers.create(image, name=name, labels=label, volumes=[f"{volume.name}:/mine"])
            one.start()
            strangers.insert(0, one)
        guest = daemon.containers.run(image, name=f"{project}-guest", detach=True, network=f"{project}_default")
        strangers.insert(0, guest)  # someone joined the lab's network: it must stay for them
        docker_clone.lab("down")
        alive = {one.name for one in daemon.containers.list()}
        assert {f"{project}-prometheus-{number}" for number in (2, 3, 4)} | {guest.name} <= alive
        assert daemon.networks.get(network.id) and daemon.volumes.get(volume.name)
        assert docker_clone.status() == {}
        guest.remove(force=True)
        strangers.remove(guest)
        docker_clone.lab("reset", "--yes")
        assert daemon.volumes.get(volume.name) and {one.name for one in daemon.containers.list()} >= alive - {guest.name}
    finally:
        for stranger in strangers:
            stranger.remove(force=True) if hasattr(stranger, "image") else stranger.remove()


def test_down_keeps_the_stored_samples_and_reset_deletes_them(docker_clone, daemon):
    docker_clone.lab("up", "m02")
    docker_clone.lab("down")
    label = {"label": f"com.docker.compose.project={docker_clone.project}"}
    kept = {volume.name.rpartition("_")[2] for volume in daemon.volumes.list(filters=label)}
    assert {"prometheus-data", "alertmanager-data"} <= kept
    said = docker_clone.lab("reset", "--yes")
    assert "Docker volume" in said and "Deleted" in said and not daemon.volumes.list(filters=label)


def test_a_guest_that_does_not_come_up_is_left_out_with_its_last_words(docker_clone):
    file = docker_clone.repo / "stack/compose.yaml"
    text = file.read_text("utf-8")
    text = text.replace("      binary: pushgateway\n", "      binary: pushgateway\n      engines: [docker]\n", 1)
    text = text.replace("      - --web.listen-address=0.0.0.0:9091\n", "      - --web.listen-adress=0.0.0.0:9091\n", 1)
    file.write_text(text, "utf-8")
    said = docker_clone.lab("up", "m02")
    assert "Without pushgateway, which ended while it started; its last words: " in said and "web.listen-adress" in said
    assert set(docker_clone.status()) == {"prometheus", "alertmanager", "node_exporter", "blackbox_exporter"}


def test_servers_on_another_daemon_than_the_one_in_reach_are_not_forgotten(docker_clone, daemon, tmp_path):
    """The other daemon is the same one under another name: what counts is that the lab did not start anything there."""
    docker_clone.lab("up", "m02")
    socket = daemon.api.get_adapter(daemon.api.base_url).socket_path
    (tmp_path / "other.sock").symlink_to(socket)
    for words in (["status"], ["up", "m02"], ["down"], ["logs", "prometheus"]):
        said = docker_clone.lab(*words, code=1, DOCKER_HOST=f"unix://{tmp_path}/other.sock")
        assert "The servers of this clone run in Docker at unix://" in said and "now talks to unix://" in said
    assert "Ended" in docker_clone.lab("down")

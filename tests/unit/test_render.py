"""Translation of names to addresses: pure functions, tables of cases."""

from pathlib import Path

import pytest
import yaml

from monlab.settings import settings
from monlab.stack import compose, ports, render

SETTINGS = settings()
DESCRIPTION = compose.load(SETTINGS.compose_file, SETTINGS.versions_file)
BLOCK = ports.block_at(20300, DESCRIPTION.ports)
ADDRESSES = render.Addresses.of(DESCRIPTION, BLOCK)
PROMETHEUS = ADDRESSES.real["prometheus:9090"]


@pytest.mark.parametrize(
    ("text", "translated"),
    [
        ("prometheus:9090", PROMETHEUS),
        ("http://prometheus:9090/metrics", f"http://{PROMETHEUS}/metrics"),
        ("http://user@prometheus:9090/", f"http://user@{PROMETHEUS}/"),
        ("prometheus:90901", "prometheus:90901"),
        ("my-prometheus:9090", "my-prometheus:9090"),
        ("x.prometheus:9090", "x.prometheus:9090"),
        ("prometheus:9091", "prometheus:9091"),
    ],
)
def test_only_whole_names_with_their_own_port_are_translated(text, translated):
    assert ADDRESSES.translate(text) == translated


def test_the_native_command_line_is_the_compose_command_with_paths_and_ports_mapped():
    service = DESCRIPTION.services["prometheus"]
    paths = {
        "/etc/prometheus": Path("/w/prometheus"),
        "/prometheus": Path("/d/data"),
        "/etc/prometheus/prometheus.yml": Path("/r/p.yml"),
    }
    assert render.command(service, BLOCK, paths, ADDRESSES) == [
        "--config.file=/r/p.yml",
        "--storage.tsdb.path=/d/data",
        f"--web.listen-address={PROMETHEUS}",
        "--enable-feature=exemplar-storage",
        "--web.enable-lifecycle",
    ]


def test_the_root_of_the_host_stays_the_root():
    service = DESCRIPTION.services["node_exporter"]
    assert render.command(service, BLOCK, {"/host": Path("/")}, ADDRESSES)[0] == "--path.rootfs=/"


def test_ports_and_listen_addresses_that_stand_alone_are_mapped_too():
    postgres = DESCRIPTION.services["postgres"]
    own = BLOCK.of(postgres.ports[0])
    words = render.command(postgres, BLOCK, {}, ADDRESSES)
    assert {"listen_addresses=127.0.0.1", f"port={own}", "shared_buffers=32MB", "max_connections=50"} <= set(words)
    valkey = DESCRIPTION.services["valkey"]
    words = render.command(valkey, BLOCK, {}, ADDRESSES)
    assert words[:4] == ["--bind", "127.0.0.1", "--port", str(BLOCK.of(valkey.ports[0]))]


def test_the_environment_is_translated_like_the_command_line():
    service = DESCRIPTION.services["inventory"]
    paths = {"/run/secrets/lab_token": Path("/s/lab_token"), "/run/secrets/postgres_password": Path("/s/p")}
    found = render.environment(service, BLOCK, paths, ADDRESSES)
    assert found["LAB_TOKEN_FILE"] == "/s/lab_token" and found["DATABASE_PASSWORD_FILE"] == "/s/p"
    assert found["DATABASE_URL"] == f"postgresql://shop@{ADDRESSES.real['toxiproxy:15432']}/shop"
    otelcol = DESCRIPTION.services["otelcol"]
    found = render.environment(otelcol, BLOCK, {}, ADDRESSES)
    assert found == {"METRICS_HOST": "127.0.0.1", "METRICS_PORT": ADDRESSES.real["otelcol:8888"].rpartition(":")[2]}


def test_an_empty_listen_address_stays_empty():
    words = render.command(DESCRIPTION.services["alertmanager"], BLOCK, {}, ADDRESSES)
    assert "--cluster.listen-address=" in words


def config(text: str) -> dict:
    return yaml.safe_load(render.prometheus_config(text, Path("/w"), ADDRESSES))


def test_targets_keep_their_written_names_and_paths_become_absolute():
    made = config(
        "rule_files: [rules/*.yml]\n"
        "scrape_configs:\n"
        "- job_name: a\n"
        "  static_configs: [{targets: ['prometheus:9090']}]\n"
        "  file_sd_configs: [{files: [targets/*.yml]}]\n"
        "  relabel_configs: [{target_label: x, replacement: y}]\n"
    )
    job = made["scrape_configs"][0]
    assert made["rule_files"] == ["/w/rules/*.yml"] and job["file_sd_configs"][0]["files"] == ["/w/targets/*.yml"]
    assert job["static_configs"] == [{"targets": ["prometheus:9090"]}]
    assert job["relabel_configs"][0] == {"target_label": "x", "replacement": "y"}
    assert job["relabel_configs"][1]["target_label"] == "instance"


def test_alertmanagers_and_remote_write_are_translated():
    made = config(
        "alerting: {alertmanagers: [{static_configs: [{targets: ['alertmanager:9093']}]}]}\n"
        "remote_write: [{url: 'http://prometheus:9090/api/v1/write'}]\n"
    )
    moves = made["alerting"]["alertmanagers"][0]["relabel_configs"]
    assert any(step["replacement"] == f"${{1}}{ADDRESSES.real['alertmanager:9093']}${{2}}" for step in moves)
    assert made["remote_write"][0]["url"] == f"http://{PROMETHEUS}/api/v1/write"


@pytest.mark.parametrize(
    "broken", ["a: [", "- just\n- a list\n", "", "plain words", "scrape_configs: 7\nalerting: []\n", "rule_files: x\n"]
)
def test_a_broken_configuration_reaches_the_server_which_says_what_is_wrong(broken):
    text = render.prometheus_config(broken, Path("/w"), ADDRESSES)
    try:
        expected = yaml.safe_load(broken)
    except yaml.YAMLError:
        assert text == broken
    else:
        assert yaml.safe_load(text) == expected


def test_scrape_files_are_translated_too_and_stale_ones_disappear(tmp_path):
    source, out = tmp_path / "w", tmp_path / "out"
    (source / "scrape").mkdir(parents=True)
    main = source / "prometheus.yml"
    main.write_text("scrape_config_files: [scrape/*.yml]\n")
    (source / "scrape" / "a.yml").write_text(
        "scrape_configs: [{job_name: a, static_configs: [{targets: ['pushgateway:9091']}]}]\n"
    )
    render.write_prometheus(main, out, ADDRESSES)
    assert yaml.safe_load((out / "prometheus.yml").read_text())["scrape_config_files"] == [f"{out}/scrape/*"]
    assert "instance" in (out / "scrape" / "00-a.yml").read_text()
    (source / "scrape" / "a.yml").unlink()
    render.write_prometheus(main, out, ADDRESSES)
    assert not list((out / "scrape").iterdir())

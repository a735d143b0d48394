"""compose.yaml: what the lab reads from it, and what it says when it does not hold together."""

import json
import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.stack import compose
from monlab.stack.servers import golang

SETTINGS = settings()


def load(tmp_path: Path, change):
    """The lab's own compose file, loaded after `change(text)`."""
    file = tmp_path / "compose.yaml"
    file.write_text(change(SETTINGS.compose_file.read_text("utf-8")), "utf-8")
    return compose.load(file, SETTINGS.versions_file)


def refusal(tmp_path: Path, change) -> str:
    with pytest.raises(LabProblem) as caught:
        load(tmp_path, change)
    return str(caught.value)


def test_the_file_is_valid_by_the_compose_specification():
    folder = Path(__file__).parent / "compose_schema"
    go = golang.toolchain(folder, SETTINGS, print)
    listed = subprocess.run(
        [go, "mod", "download", "-json", "github.com/compose-spec/compose-go/v2"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    schema = json.loads((Path(json.loads(listed.stdout)["Dir"]) / "schema" / "compose-spec.json").read_text("utf-8"))
    document = yaml.safe_load(SETTINGS.compose_file.read_text("utf-8"))
    jsonschema.validate(document, schema)
    document["services"]["prometheus"]["comand"] = ["x"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


def test_every_service_is_hardened_and_on_loopback():
    for name, service in yaml.safe_load(SETTINGS.compose_file.read_text("utf-8"))["services"].items():
        assert service["cap_drop"] == ["ALL"] and service["read_only"] and service["mem_limit"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name


def test_the_image_tag_is_the_pinned_version():
    description = compose.load(SETTINGS.compose_file, SETTINGS.versions_file)
    versions = compose.read_versions(SETTINGS.versions_file)
    assert description.services["prometheus"].version == versions["PROMETHEUS_VERSION"]
    assert description.services["prometheus"].image.startswith("prom/prometheus:v")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "    command:\n      - --config.file=/etc/prometheus",
            "    comand:\n      - --config.file=/etc/prometheus",
            "unknown key 'comand'. Did you mean command?",
        ),
        ("      binary: prometheus", "      binry: prometheus", "unknown key 'binry'. Did you mean binary?"),
        ("      optional: dash", "      optionl: dash", "unknown key 'optionl'. Did you mean optional?"),
        ("v${PROMETHEUS_VERSION}", "v${PROMETEUS_VERSION}", "versions.env does not set. Did you mean PROMETHEUS_VERSION?"),
        ("      - prometheus-data:/prometheus", "      - prometeus-data:/prometheus", "Did you mean prometheus-data?"),
        ("      month: metrics", "      month: metric", "the archived month has no part 'metric'. Did you mean metrics?"),
        ("      - archive-prometheus-data:/prometheus\n", "", "needs one volume for the archived month's metrics"),
        (':-9093}:9093"]', ':-9090}:9093"]', "port 9090 is published by both prometheus and alertmanager"),
        ("127.0.0.1:${PUSHGATEWAY_PORT:-9091}:9091", "9091:9091", "must look like"),
        ("services:\n", "services\n", "line "),
    ],
)
def test_a_typing_error_is_named_with_the_nearest_right_word(tmp_path, old, new, words):
    assert old in SETTINGS.compose_file.read_text("utf-8")
    assert words in refusal(tmp_path, lambda text: text.replace(old, new, 1))


def test_a_service_that_others_depend_on_must_exist(tmp_path):
    words = refusal(
        tmp_path,
        lambda text: text.replace("    profiles: [m01, m02]\n", "    profiles: [m01, m02]\n    depends_on: [promteheus]\n", 1),
    )
    assert "depends on 'promteheus'" in words and "Did you mean prometheus?" in words


def test_modules_bring_their_services_and_what_those_depend_on(tmp_path):
    def change(text: str) -> str:
        return re.sub(r"    profiles: \[m01,.*\n", "    profiles: [m91]\n    depends_on: [pushgateway]\n", text, count=1)

    description = load(tmp_path, change)
    assert [service.name for service in description.for_modules({"m91"})] == ["prometheus", "pushgateway"]
    assert "prometheus" not in [service.name for service in description.for_modules({"m02"})]
    with pytest.raises(LabProblem, match="Did you mean m0"):
        description.check_module("m0")

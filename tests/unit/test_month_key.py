"""What makes a part of the archived month another one, and what does not."""

import shutil

import pytest

from monlab.settings import REPO, settings
from monlab.stack import month

HERE = "src/monlab/archive"


@pytest.fixture
def copy(tmp_path):
    """Settings of a copy of the files that keys are made of."""
    shutil.copytree(REPO / HERE, tmp_path / HERE)
    shutil.copytree(REPO / "stack", tmp_path / "stack", symlinks=True, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / HERE / "generate.py").write_text("from monlab.archive import (\n    helper as h,\n)\n")
    (tmp_path / HERE / "helper.py").write_text("import monlab.archive.deeper\n")
    (tmp_path / HERE / "deeper.py").write_text("")
    return settings({}, tmp_path)


def keys(config):
    return {part: month.key(part, config) for part in month.PARTS}


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        (f"{HERE}/generate.py", {"metrics", "logs", "traces"}),
        (f"{HERE}/helper.py", {"metrics", "logs", "traces"}),
        (f"{HERE}/deeper.py", {"metrics", "logs", "traces"}),
        (f"{HERE}/records.py", {"metrics", "logs", "traces"}),
        ("stack/telemetry.yaml", {"metrics", "logs", "traces"}),
        (f"{HERE}/remote_write.py", {"metrics"}),
        (f"{HERE}/loki.py", {"logs"}),
        ("stack/loki/archive.yaml", {"logs"}),
        (f"{HERE}/jaeger.py", {"traces"}),
        ("stack/jaeger/archive.yaml", {"traces"}),
        (f"{HERE}/__init__.py", set()),
    ],
)
def test_a_change_of_a_file_makes_those_parts_anew_that_depend_on_it(copy, file, changed):
    before = keys(copy)
    with (copy.repo / file).open("a", encoding="utf-8") as text:
        text.write("\n# another line\n")
    assert {part for part in before if before[part] != month.key(part, copy)} == changed


def test_another_version_of_a_server_makes_its_part_anew(copy):
    before = keys(copy)
    versions = copy.versions_file.read_text("utf-8")
    copy.versions_file.write_text(versions.replace("LOKI_VERSION=", "LOKI_VERSION=9"), "utf-8")
    assert {part for part in before if before[part] != month.key(part, copy)} == {"logs"}

"""Servers in the cache: one that is not whole is none, and is got again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from monlab.settings import settings
from monlab.stack import servers
from monlab.stack.servers.recipe import recipes


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Path:
    """The folder of a server in a cache of its own, as a build leaves it; nothing else is on PATH."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    config = replace(settings(), cache=tmp_path)
    place = servers._place(recipes(config)["node_exporter"], config)
    place.mkdir(parents=True)
    (place / "source.json").write_text(json.dumps({"source": "go"}))
    (place / "node_exporter").write_text("#!/bin/sh\n")
    (place / "node_exporter").chmod(0o755)
    return place


def found(kept: Path) -> servers.Server | None:
    return servers.present("node_exporter", replace(settings(), cache=kept.parent.parent))


def test_a_whole_one_is_found(kept):
    assert found(kept).source == "go"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '"x"', '{"source": "nowhere"}', '{"source": ["go"]}', pytest.param("[" * 100_000, id="nested")],
)
def test_one_whose_record_is_damaged_is_none(kept, text):
    (kept / "source.json").write_text(text)
    assert found(kept) is None


def test_one_whose_program_is_gone_or_cannot_be_run_is_none(kept):
    (kept / "node_exporter").chmod(0o644)
    assert found(kept) is None
    (kept / "node_exporter").unlink()
    assert found(kept) is None

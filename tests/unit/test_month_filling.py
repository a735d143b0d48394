"""Data folders of the month's servers, filled from the built parts in the cache."""

import resource
from contextlib import contextmanager
from dataclasses import replace

import pytest

from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.stack import month


@pytest.fixture
def part(tmp_path):
    """Settings with a small built part in their cache."""
    config = replace(settings(), cache=tmp_path / "cache")
    data = month.place("metrics", config) / month.DATA / "block"
    (data / "chunks").mkdir(parents=True)
    (data / "chunks" / "000001").write_bytes(b"c" * 50_000)
    (data / "meta.json").write_bytes(b"m" * 50_000)
    return config


@contextmanager
def no_room():
    """No file may grow beyond 10,000 bytes, as on a disk that is full.

    Around the call alone, not a fixture: pytest's own report may be a file too, and is longer.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_folder_is_filled_and_known_as_filled(part, tmp_path):
    folder = tmp_path / "data"
    month.fill("metrics", part, folder)
    assert month.is_filled("metrics", part, folder) and (folder / "block" / "meta.json").stat().st_size == 50_000


def test_a_full_disk_is_told_in_a_sentence_and_leaves_what_was_there(part, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "old").touch()
    with (
        no_room(),
        pytest.raises(LabProblem, match=r"metrics could not be copied to .*data: \[Errno 27\] File too large") as told,
    ):
        month.fill("metrics", part, folder)
    assert "[(" not in str(told.value) and "Make room" in str(told.value)
    assert [path.name for path in folder.iterdir()] == ["old"] and not (tmp_path / ".data.new").exists()

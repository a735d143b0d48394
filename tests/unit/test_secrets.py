"""Secrets: made once, for one user's eyes, different in each clone."""

from dataclasses import replace

import pytest

from monlab.settings import settings
from monlab.stack import secrets
from monlab.stack.state import Memory


def test_a_secret_is_made_once_and_is_this_users_alone(tmp_path):
    config = replace(settings(), state=tmp_path / "one")
    value = secrets.value(config, "lab_token")
    assert len(value) >= 32 and secrets.value(config, "lab_token") == value
    assert secrets.file(config, "lab_token").stat().st_mode & 0o777 == 0o600
    assert config.secrets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("left", [b"", b" ", b"\n", b"\xff\xfe", b"a\0b"])
def test_a_secret_that_a_full_disk_cut_short_is_made_anew_and_one_that_was_chosen_stays(tmp_path, left):
    config = replace(settings(), state=tmp_path / "one")
    secrets.file(config, "lab_token").write_bytes(left)
    assert len(secrets.value(config, "lab_token")) >= 32
    secrets.file(config, "lab_token").write_bytes(b"my 0wn p@ssword!\n")
    assert secrets.value(config, "lab_token") == "my 0wn p@ssword!"


def test_two_clones_and_two_names_have_nothing_in_common(tmp_path):
    one, other = (replace(settings(), state=tmp_path / name) for name in ("one", "other"))
    values = {secrets.value(config, name) for config in (one, other) for name in ("lab_token", "postgres_password")}
    assert len(values) == 4


def test_nobody_else_looks_into_the_state_folder_whoever_made_it(tmp_path):
    """endpoints.json may hold an instructor's passwords. A run of a notebook made the folder open to all."""
    config = replace(settings(), state=tmp_path / "one")
    config.state.mkdir(mode=0o755)
    with Memory(config).changing():
        assert config.state.stat().st_mode & 0o777 == 0o700

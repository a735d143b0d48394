"""The archived month, served for all mutation tests, and the random worlds."""

import pytest
from clones import NATIVE, Clone, ended
from random_world import random_world
from references import REFERENCES

from monlab import endpoints
from monlab.settings import settings


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory):
    """The month's Prometheus of a clone, found by this process as if it were its own."""
    folder = tmp_path_factory.mktemp("month")
    clone = Clone(folder, **NATIVE)
    clone.lab("up", "month")
    url = clone.status()["archive-prometheus"]["url"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "own state"))
        settings().state.mkdir(parents=True)
        endpoints.write(settings(), "native", {"archive-prometheus": url})
        yield url
    ended(clone)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory):
    """A random world that knows the mutator's own references."""
    with random_world(tmp_path_factory.mktemp("world") / "server", REFERENCES.values()) as made:
        yield made

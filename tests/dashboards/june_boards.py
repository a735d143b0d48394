"""The archived month for tests of dashboards: its servers, and a stretch of the 22nd."""

import matplotlib.pyplot as plt
import pytest

from monlab.settings import settings

SPAN = {"start": "2026-06-22 11:00", "end": "2026-06-22 15:30"}


@pytest.fixture
def june(june_servers, monkeypatch):
    """Asks the servers of the shared clone, and shows no picture."""
    for name, value in june_servers.environment.items():
        monkeypatch.setenv(name, value)
    there = settings(june_servers.environment, june_servers.repo)
    for module in ("monlab.telemetry.prometheus", "monlab.dashboards.asking"):
        monkeypatch.setattr(f"{module}.settings", lambda: there)
    monkeypatch.setattr(plt, "show", lambda: None)
    yield
    plt.close("all")

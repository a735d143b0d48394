"""June and what rules record of it, for all tests of objectives."""

import pytest
from june import GRID, archive, on_grid, ours, ratios, sloths
from specs import SPECS
from throwaway_prometheus import prometheus, send

from monlab.slo import rule_files as rules
from monlab.slo.durations import words


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    with archive(tmp_path_factory.mktemp("june") / "raw") as url:
        yield url


@pytest.fixture(scope="session")
def recorded(raw, tmp_path_factory):
    """slo -> set of rules -> window -> values; and a Prometheus that holds them as series."""
    folder = tmp_path_factory.mktemp("recorded")
    values, series = {}, []
    for slo in SPECS:
        for name, made in (("ours", ours(slo)), ("sloth", sloths(slo, folder))):
            found = ratios(made)
            for window, rule in found.items():
                if window == words(rules.period(slo)):
                    continue
                values[slo.id, name, window] = on_grid(raw, rule["expr"])
                series.append(({"__name__": rule["record"], **rule["labels"]}, values[slo.id, name, window].to_numpy()))
    with prometheus(folder / "server") as url:
        send(url, series, GRID.as_unit("ms").asi8)
        yield values, url, folder

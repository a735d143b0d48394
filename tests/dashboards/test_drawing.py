"""What is drawn of answers written here, without a server."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from files import board, panel

from monlab.dashboards import drawing, reader
from monlab.dashboards.asking import Answer, Series
from monlab.dashboards.running import _lines
from monlab.dashboards.shown import Asked, Shown
from monlab.dashboards.window import Window

WINDOW = Window(0, 300)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def answered(made, *series):
    """The panel, and what its query answered: a value a minute."""
    found = reader.of(board(made)).panels[0]
    times = np.arange(len(series[0])) * 60.0
    answer = Answer(tuple(Series({"job": str(number)}, times, np.array(one, float)) for number, one in enumerate(series)))
    asked = tuple(Asked(target, "x", answer) for target in found.targets)
    return Shown(found, asked, tuple(line for one in asked for line in _lines(found, one, {})))


def drawn(*shown):
    figure = drawing.draw("A test", list(shown), WINDOW, [], [])
    figure.canvas.draw()
    return figure


GAP = float("nan")


@pytest.mark.parametrize("kind", ["timeseries", "barchart", "stat", "gauge", "bargauge", "table", "piechart", "heatmap", "state-timeline"])  # fmt: skip
def test_no_number_is_too_large_or_too_small_to_be_drawn(kind):
    drawn(
        *(
            answered(panel(kind=kind, unit=unit, gridPos={"x": 0, "y": 4 * place, "w": 12, "h": 4}), [value, 1, value])
            for unit in ("", "s", "hex", "dtdurations", "bytes")
            for place, value in enumerate((float("inf"), -float("inf"), 1e308, 1e-320, GAP))
        )
    )

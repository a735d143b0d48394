"""What is drawn of answers written here, without a server."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from files import board, panel

from monlab.dashboards import drawing, reader
from monlab.dashboards.asking import Answer, Series
from monlab.dashboards.looks import color_of
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


def curves(figure):
    """The lines of the time series, as lists; a gap is None."""
    picture = figure.axes[1]  # on the panel's frame
    return [[None if np.isnan(y) else float(y) for y in np.asarray(line.get_ydata(), float)] for line in picture.lines]


def custom(**more):
    made = panel()
    made["fieldConfig"]["defaults"]["custom"] = more
    return made


GAP = float("nan")


def test_stacked_series_are_a_gap_where_none_of_them_has_a_value():
    found = curves(drawn(answered(custom(stacking={"mode": "normal"}), [GAP, 1, 2, 3, GAP], [GAP, GAP, 10, 10, GAP])))
    assert found == [[None, 1, 2, 3, None], [None, 1, 12, 13, None]]


def test_what_goes_down_is_stacked_below_zero_and_not_on_what_goes_up():
    made = custom(stacking={"mode": "normal"})
    made["fieldConfig"]["overrides"] = [
        {"matcher": {"id": "byRegexp", "options": "[23]"}, "properties": [{"id": "custom.transform", "value": "negative-Y"}]}
    ]
    assert curves(drawn(answered(made, [1, 1], [2, 2], [4, 4], [8, 8]))) == [[1, 1], [3, 3], [-4, -4], [-12, -12]]


def test_a_value_between_two_gaps_is_a_dot():
    figure = drawn(answered(panel(), [1, GAP, 2, GAP, 3, 4, GAP, 5]))
    line, dots = figure.axes[1].lines
    assert line.get_marker() in ("", "None") and dots.get_marker() == "." and list(dots.get_ydata()) == [1, 2, 5]


def test_stacked_series_with_connected_nulls_keep_their_instants():
    made = custom(stacking={"mode": "normal"}, spanNulls=True)
    assert curves(drawn(answered(made, [1, GAP, 1], [10, 10, GAP]))) == [[1, 0, 1], [11, 10, 1]]


@pytest.mark.parametrize("kind", ["timeseries", "barchart", "stat", "gauge", "bargauge", "table", "piechart", "heatmap", "state-timeline"])  # fmt: skip
def test_no_number_is_too_large_or_too_small_to_be_drawn(kind):
    drawn(
        *(
            answered(panel(kind=kind, unit=unit, gridPos={"x": 0, "y": 4 * place, "w": 12, "h": 4}), [value, 1, value])
            for unit in ("", "s", "hex", "dtdurations", "bytes")
            for place, value in enumerate((float("inf"), -float("inf"), 1e308, 1e-320, GAP))
        )
    )


RED = [{"color": "green", "value": None}, {"color": "red", "value": 80}]


@pytest.mark.parametrize(
    ("made", "colored"),
    [
        (panel(kind="stat", options={}), True),
        (panel(kind="stat", options={"colorMode": "value"}), True),
        (panel(kind="stat", options={"colorMode": "none"}), False),
        (panel(kind="singlestat", thresholds="50,80", colorValue=True), True),
        (panel(kind="singlestat", thresholds="50,80", colorValue=False, colorBackground=False), False),
    ],
)
def test_a_stat_has_the_colour_of_its_thresholds_where_it_shows_them(made, colored):
    made["fieldConfig"]["defaults"]["thresholds"] = {"mode": "absolute", "steps": RED}
    words = next(text for axes in drawn(answered(made, [99, 99, 99])).axes for text in axes.texts if text.get_text() == "99")
    assert (words.get_color() == color_of("red")) == colored


@pytest.mark.parametrize("count", [1, 2, 3, 5, 12, 30])
@pytest.mark.parametrize("size", [(4, 3), (6, 2), (12, 3), (3, 6), (24, 4), (5, 7)])
def test_texts_of_a_stat_do_not_overlap(size, count):
    made = panel(kind="stat", options={"colorMode": "none"}, gridPos={"x": 0, "y": 0, "w": size[0], "h": size[1]}, title="A stat")
    figure = drawn(answered(made, *([number, number + 1, number + 2] for number in range(count))))
    texts = [text.get_window_extent() for axes in figure.axes for text in axes.texts if text.get_text()]
    for place, one in enumerate(texts):
        for other in texts[:place]:
            wide, tall = min(one.x1, other.x1) - max(one.x0, other.x0), min(one.y1, other.y1) - max(one.y0, other.y0)
            assert wide <= 1 or tall <= 3, (one, other)  # pixels; the box of a text is a little taller than its letters


def test_a_text_is_drawn_without_its_tags():
    made = panel(
        kind="text", title="", options={"mode": "html", "content": "<h1 class='x'>Orders &amp; payments</h1>\n**a < b**"}
    )
    words = [text.get_text() for axes in drawn(answered(made, [1])).axes for text in axes.texts]
    assert "Orders & payments\na < b" in words


@pytest.mark.parametrize(
    "title", ["CPU System Load (1m average) of MACHINES", "\u6bcf\u79d2\u8bf7\u6c42\u6570" * 8], ids=["letters", "signs"]
)
def test_a_long_title_ends_before_the_edge_of_its_panel(title):
    made = panel(title=title, gridPos={"x": 0, "y": 0, "w": 4, "h": 4})
    figure = drawn(answered(made, [1, 2, 3]))
    title, frame = figure.axes[0].texts[0], figure.axes[0]
    assert title.get_text().endswith("…")
    assert title.get_window_extent().x1 <= frame.get_window_extent().x1

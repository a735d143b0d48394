"""Pictures of alerts: what is drawn, and that the axes say in which unit."""

from datetime import UTC, datetime

import matplotlib as mpl
import pandas as pd
import pytest

from monlab.problem import LabProblem
from monlab.slo import pictures
from monlab.slo.alerts import approaches
from monlab.slo.windows import SLOTH_30D

mpl.use("agg")
START, END = datetime(2026, 6, 15, 9, tzinfo=UTC), datetime(2026, 6, 15, 12, tzinfo=UTC)


def test_the_table_of_times_holds_the_workbooks_numbers():
    found = pictures.times("0.999", "45m", error_ratios=["1", "0.001"]).set_index(["alert", "error_ratio"])
    assert found.loc[("1 error ratio over 10 m", 1.0), "detection_seconds"] == pytest.approx(0.6)
    assert found.loc[("4 burn rate 36 over 1 h", 1.0), "reset_seconds"] == pytest.approx(57.84 * 60)
    assert found.loc[("3 error ratio over 1 m, for 1 h", 1.0)].isna().tolist() == [False, True]  # over before it speaks
    assert found.xs(0.001, level="error_ratio").isna().all().all()


def test_each_of_the_six_approaches_is_drawn_on_axes_with_units():
    figure = pictures.detection()
    comes, goes = figure.axes
    names = [alert.name for alert in approaches(SLOTH_30D)]
    assert [line.get_label() for line in comes.get_lines()] == names and len(goes.get_lines()) == len(names)
    assert "%" in goes.get_xlabel() and {text.get_text() for text in comes.get_yticklabels()} >= {"1 min", "1 h", "1 d"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    mpl.pyplot.close(figure)


def test_a_higher_error_ratio_never_takes_longer_to_be_seen():
    found = pictures.times("0.999")
    for _name, curve in found.groupby("alert"):
        assert curve.detection_seconds.dropna().is_monotonic_decreasing


def test_bars_show_when_each_alert_fired_within_the_stretch():
    fired = pd.DataFrame(
        [
            ("a", "page", START - pd.Timedelta("1h"), START + pd.Timedelta("1h")),
            ("b", "ticket", START, END),
            ("c", "page", END, END),
        ],
        columns=["alert", "severity", "start", "end"],
    )
    axis = pictures.firings(fired, START, END, errors=(START, START + pd.Timedelta("45m"))).axes[0]
    widths = [round(bar.get_width() * 24, 6) for bars in axis.containers for bar in bars]
    assert widths == [1, 3] and [text.get_text() for text in axis.get_yticklabels()] == ["a", "b", "c"]
    assert axis.get_xlabel() == "time (UTC)"
    mpl.pyplot.close(axis.figure)


def test_a_stretch_that_ends_before_it_begins_is_refused():
    with pytest.raises(LabProblem, match="Swap them"):
        pictures.firings(pd.DataFrame(columns=["alert", "severity", "start", "end"]), END, START)

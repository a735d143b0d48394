"""Alerts as pictures: how soon each comes and how long it stays, by error ratio; and when each fired over real counts."""

from collections.abc import Sequence
from datetime import datetime

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from monlab.problem import LabProblem
from monlab.slo.alerts import AlertType, approaches, detection_seconds, reset_seconds
from monlab.slo.budget import Share
from monlab.slo.durations import Length, length, words
from monlab.slo.numbers import moment
from monlab.slo.windows import SLOTH_30D, Policy

RATIOS = tuple(float(f"{one:.4g}") for one in np.geomspace(0.0005, 1, 100))
TICKS = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 21_600: "6 h", 86_400: "1 d", 259_200: "3 d"}
OLD, NEW = "tab:cyan", "tab:purple"  # approaches 5 and 6 come at the same time: the wide line shows beside the narrow one
COLOURS = ("tab:blue", "tab:orange", "tab:red", "tab:green", OLD, OLD, NEW, NEW)
LASTING = "6h"


def times(
    objective: Share, lasting: Length = LASTING, alerts: Sequence[AlertType] = (), error_ratios: Sequence[Share] = RATIOS
) -> pd.DataFrame:
    """A row an alert and error ratio: alert, error_ratio, detection_seconds, reset_seconds.

    Detection counts from the first error, of errors that go on; reset from the last one, of errors that last `lasting`. NaN: never.
    """
    rows = [
        (alert.name, float(ratio), detection_seconds(alert, ratio, objective), reset_seconds(alert, ratio, objective, lasting))
        for alert in alerts or approaches(SLOTH_30D)
        for ratio in error_ratios
    ]
    frame = pd.DataFrame(rows, columns=["alert", "error_ratio", "detection_seconds", "reset_seconds"])
    return frame.astype({"detection_seconds": float, "reset_seconds": float})


def detection(objective: Share = "0.999", lasting: Length = LASTING, policy: Policy = SLOTH_30D) -> Figure:
    """Two panels: time to the alert, and time until it ends after errors that lasted `lasting`, both against the error ratio."""
    found = times(objective, lasting, approaches(policy))
    figure, (comes, goes) = plt.subplots(2, 1, figsize=(9, 8.4), sharex=True, layout="constrained")
    for number, (name, curve) in enumerate(found.groupby("alert", sort=False)):
        style = {
            "color": COLOURS[number % len(COLOURS)],
            "linestyle": "--" if str(name).endswith("ticket") else "-",
            "linewidth": 4.5 if COLOURS[number % len(COLOURS)] == OLD else 1.6,
            "alpha": 0.5 if COLOURS[number % len(COLOURS)] == OLD else 1,
        }
        comes.plot(curve.error_ratio * 100, curve.detection_seconds, label=str(name), **style)
        goes.plot(curve.error_ratio * 100, curve.reset_seconds.where(curve.reset_seconds > 0), **style)
    comes.set_title("from the first error to the alert", loc="left", fontsize=10)
    goes.set_title(
        f"from the last error to the alert's end, after errors that lasted {words(length(lasting))}", loc="left", fontsize=10
    )
    for axis, what in ((comes, "time to detection"), (goes, "time to reset")):
        axis.set(xscale="log", yscale="log", ylabel=f"{what} (log scale)")
        axis.set_yticks(list(TICKS), TICKS.values())
        axis.set_yticks([], minor=True)
        axis.grid(alpha=0.3)
    goes.set_xlabel("error ratio while it lasts (%, log scale)")
    goes.set_xticks([0.1, 0.5, 1, 2, 5, 10, 20, 50, 100], ["0.1", "0.5", "1", "2", "5", "10", "20", "50", "100"])
    goes.set_xticks([], minor=True)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    return figure


def plot_detection(objective: Share = "0.999", lasting: Length = LASTING, policy: Policy = SLOTH_30D) -> None:
    """Shows `detection`: the workbook's six approaches side by side."""
    detection(objective, lasting, policy)
    plt.show()


def firings(fired: pd.DataFrame, start: datetime, end: datetime, errors: tuple[datetime, datetime] | None = None) -> Figure:
    """A bar a stretch of firing of `backtest_all`, a line an alert, those too that never fired; `errors` is shaded. Raises LabProblem for no stretch of time."""
    start, end = moment(start, "The start of the picture"), moment(end, "The end of the picture")
    if not start < end:
        raise LabProblem(f"The picture ends at {end}, before it begins at {start}. Swap them.")
    names = list(dict.fromkeys([*fired.attrs.get("alerts", []), *fired["alert"]]))
    figure, axis = plt.subplots(figsize=(9, 1.4 + 0.35 * max(1, len(names))), layout="constrained")
    for name, severity, since, until in fired[["alert", "severity", "start", "end"]].itertuples(index=False, name=None):
        left, right = max(pd.Timestamp(since), pd.Timestamp(start)), min(pd.Timestamp(until), pd.Timestamp(end))
        if left < right:
            colour = "tab:red" if severity == "page" else "tab:orange"
            axis.barh(names.index(name), date2num(right) - date2num(left), left=date2num(left), color=colour, height=0.6)
    _dated(axis, start, end)
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.set_ylim(len(names) - 0.5, -0.5)
    if errors:
        axis.axvspan(date2num(errors[0]), date2num(errors[1]), color="grey", alpha=0.3)
    axis.set_title("fires: red wakes somebody, orange opens a ticket; grey: the errors", loc="left", fontsize=10)
    return figure


def _dated(axis: Axes, start: datetime, end: datetime) -> None:
    axis.set_xlim(date2num(start), date2num(end))
    axis.xaxis_date(tz="UTC")
    axis.xaxis.set_major_formatter(ConciseDateFormatter(axis.xaxis.get_major_locator(), tz="UTC"))
    axis.set_xlabel("time (UTC)")
    axis.grid(alpha=0.3, axis="x")


def plot_firings(fired: pd.DataFrame, start: datetime, end: datetime, errors: tuple[datetime, datetime] | None = None) -> None:
    """Shows `firings`: what each alert would have done, minute by minute."""
    firings(fired, start, end, errors)
    plt.show()

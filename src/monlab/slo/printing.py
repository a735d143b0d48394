"""The month's report on paper: a page of HTML that needs nothing else, and a PDF with a page an SLO."""

import html as markup
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from monlab.slo.report import Incident, Line, parts, percent, reached, remaining

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, LEFT, BELOW = 700, 130, 56, 22  # of a curve in the page, and the room for what its axes say
DAY_TICKS = 7
TITLE_LETTERS, SPENDERS = 80, 7  # of a sheet's title in a line, and in its list
STYLE = (
    "body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td,th{padding:.2em .8em;text-align:left}h1,h2,li,td:first-child{overflow-wrap:anywhere}td+td{white-space:nowrap}"
    "h2{margin-top:2em;border-top:1px solid #ccc;padding-top:.6em}h3{margin-bottom:.2em}ul{margin-top:.2em}"
    ".days{border-spacing:2px;font-size:12px}.days td{padding:.2em .4em;background:#dcefdc}"
    ".days td.missed{background:#f4c7c3;font-weight:bold}.days td.none{background:#ddd}svg text{font-size:11px;fill:#555}"
)


def html(lines: Sequence[Line], incidents: Sequence[Incident], title: str) -> str:
    """The report as one page without scripts."""
    body = "".join(_section(line, incidents) for line in lines)
    rows = "".join(
        f"<tr><td>{markup.escape(one.slo.id)}<td>{percent(float(one.slo.objective))}<td>{reached(one)}"
        f"<td>{remaining(one)}<td>{_state(one)}"
        for one in lines
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{markup.escape(title)}</title><style>{STYLE}</style>'
        f"<h1>{markup.escape(title)}</h1>"
        f"<table><tr><th>SLO<th>objective<th>availability<th>budget left<th>state{rows}</table>{body}</html>"
    )


def _state(line: Line) -> str:
    return "kept" if line.kept else "missed" if line.availability is not None else "no data"


def _spenders(line: Line) -> list[str]:
    return [f"{name}: {parts(part)}" for name, part in sorted(line.spenders.items(), key=lambda pair: -pair[1])]


def _section(line: Line, incidents: Sequence[Incident]) -> str:
    spenders = "".join(f"<li>{markup.escape(one)}" for one in _spenders(line)) or "<li>nobody"
    limit = float(line.slo.objective)
    cells = "".join(
        f'<td class="{"none" if value is None else "missed" if value < limit else ""}" title="{day}: {percent(value)}">{day[:2]}'
        for day, value in line.days.items()
    )
    weeks = "".join(f"<li>{week}: {percent(value)}" for week, value in line.weeks.items())
    said = " ".join(filter(None, (line.advice, line.forecast)))
    return (
        f"<h2>{markup.escape(line.slo.id)}</h2><p>{markup.escape(said)}</p>"
        f"<h3>Budget left, in percent; incidents are shaded</h3>{_curve(line, incidents)}"
        f"<h3>Who spent it, in parts of the budget</h3><ul>{spenders}</ul>"
        f'<h3>By day; red missed the objective</h3><table class="days"><tr>{cells}</table><h3>Availability by week</h3><ul>{weeks}</ul>'
    )


def _curve(line: Line, incidents: Sequence[Incident]) -> str:
    """The budget that is left, with incidents as bars behind it."""
    if line.availability is None:
        return "<p>no data, so nobody knows what was left"
    first, last = line.times[0].timestamp(), line.times[-1].timestamp()
    span = max(last - first, 1.0)
    values = np.where(np.isfinite(line.left_over_time), line.left_over_time, 0.0)
    low = min(0.0, float(values.min()))
    x = LEFT + (line.times.as_unit("s").asi8 - first) / span * (WIDTH - LEFT)
    y = 6 + (1 - values) / (1 - low) * (HEIGHT - 6)
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    zero = 6 + (HEIGHT - 6) / (1 - low)
    stretches = [(one, max(first, one.start.timestamp()), min(last, one.end.timestamp())) for one in incidents]
    bars = "".join(
        f'<rect x="{LEFT + (start - first) / span * (WIDTH - LEFT):.1f}" y="6" height="{HEIGHT - 6}" fill="#f4c7c3" '
        f'width="{max(2.0, (end - start) / span * (WIDTH - LEFT)):.1f}"><title>{markup.escape(one.name)}</title></rect>'
        for one, start, end in stretches
        if start <= end
    )
    marks = [("100", 6.0), ("0", zero)] + ([(f"{low * 100:.0f}", float(HEIGHT))] if low < -0.1 else [])
    sides = "".join(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{word} %</text>' for word, at in marks)
    every = max(1, len(line.times) // DAY_TICKS)
    feet = "".join(
        f'<text x="{at:.1f}" y="{HEIGHT + 16}">{moment:%d %b}</text>'
        for at, moment in zip(x[: -every // 2 : every], line.times[: -every // 2 : every], strict=True)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + BELOW}" width="{WIDTH}" role="img" aria-label="budget left over time">{bars}{sides}{feet}'
        f'<line x1="{LEFT}" x2="{WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#c00"/>'
        f'<polyline points="{points}" fill="none" stroke="#246" stroke-width="2"/></svg>'
    )


def pdf(lines: Sequence[Line], incidents: Sequence[Incident], title: str, path: Path) -> None:
    """The report as a PDF, a page an SLO."""
    from matplotlib.backends.backend_pdf import PdfPages

    with PdfPages(path) as pages:
        for line in lines:
            pages.savefig(sheet(line, incidents, title))


def sheet(line: Line, incidents: Sequence[Incident], title: str) -> "Figure":
    """One page of the PDF."""
    from matplotlib.dates import ConciseDateFormatter
    from matplotlib.figure import Figure

    page = Figure(figsize=(8.3, 11.7))
    curve, days, said = page.subplots(3, 1, height_ratios=(2, 2, 3), gridspec_kw={"hspace": 0.35, "top": 0.92, "bottom": 0.05})
    page.suptitle(_plain(textwrap.fill(f"{title}: {line.slo.id}", TITLE_LETTERS)), fontsize=10)
    if line.availability is None:
        curve.set_title("no data")
        curve.set_yticks([])
    else:
        curve.plot(line.times, np.where(np.isfinite(line.left_over_time), line.left_over_time, 0.0) * 100)
        curve.axhline(0, color="tab:red", linewidth=1)
    for one in incidents:
        curve.axvspan(one.start, one.end, color="tab:red", alpha=0.2)
    curve.set(xlabel="time (UTC)", ylabel="budget left (%)")
    curve.set_xlim(line.times[0], line.times[-1] if len(line.times) > 1 else None)
    curve.xaxis.set_major_formatter(ConciseDateFormatter(curve.xaxis.get_major_locator()))
    _days(days, line)
    said.axis("off")
    words = [f"Objective {percent(float(line.slo.objective))}, availability {reached(line)}: {_state(line)}."]
    spenders = _spenders(line) or ["nobody"]
    more = [f"and {len(spenders) - SPENDERS} more"] if len(spenders) > SPENDERS else []
    words += [line.advice, line.forecast, "", "Who spent it, in parts of the budget:", *spenders[:SPENDERS], *more]
    words += ["", "Availability by week:", *(f"{week}: {percent(value)}" for week, value in line.weeks.items())]
    said.text(0, 1, _plain("\n".join(words)), va="top", fontsize=9, wrap=True)
    return page


def _plain(text: str) -> str:
    """Between two dollar signs matplotlib would read a formula."""
    return text.replace("$", r"\$")


def _days(axis: "Axes", line: Line) -> None:
    failed = [np.nan if value is None else (1 - value) * 100 for value in line.days.values()]
    colours = ["tab:red" if value > float(line.slo.budget) * 100 else "tab:blue" for value in failed]
    axis.bar(range(len(failed)), failed, color=colours)
    axis.axhline(float(line.slo.budget) * 100, color="tab:red", linewidth=1)
    axis.set(ylabel="failed (% of the day's events)", xlabel="day; the line is what the objective allows")
    axis.set_xticks(range(len(failed)), [day[:2] for day in line.days], fontsize=7)

"""What a dashboard is here: records read from Grafana's classic JSON. They hold what is drawn and judged, nothing else."""

from dataclasses import dataclass, field
from typing import Any

COLUMNS = 24  # of Grafana's grid


@dataclass(frozen=True)
class Source:
    """Which data source a panel or query names. Both are empty where it leaves the choice to the default."""

    type: str = ""  # plugin id: prometheus, loki, jaeger
    uid: str = ""  # uid, or the name in old files; may hold a variable


@dataclass(frozen=True)
class Target:
    """One query of a panel."""

    ref: str
    expr: str
    source: Source = Source()
    legend: str = ""  # pattern with {{label}}; empty: Grafana names the series
    instant: bool = False
    interval: str = ""  # least step, may hold a variable
    format: str = "time_series"  # or table, heatmap
    query_type: str = ""  # of Jaeger and Loki
    ranged: bool = False  # the file says that it is asked over the range
    factor: int = 1  # steps are so many times longer: the resolution of old files
    exemplar: bool = False
    promql: bool = False  # it is written under `expr`, so Prometheus or Loki understands it


@dataclass(frozen=True)
class Threshold:
    value: float | None  # None: the base step, which holds below all others
    color: str


@dataclass(frozen=True)
class Override:
    """Properties of a field that differ for the series a matcher picks."""

    matcher: str  # byName, byNames, byRegexp, byFrameRefID, byType
    option: str
    properties: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()  # of byNames
    others: bool = False  # byNames: all but these


@dataclass(frozen=True)
class Transformation:
    """What Grafana does with the answers before it draws them."""

    id: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Panel:
    id: int
    title: str
    type: str  # as drawn
    x: int
    y: int
    w: int
    h: int
    description: str = ""
    targets: tuple[Target, ...] = ()
    source: Source = Source()
    unit: str = ""
    decimals: int | None = None
    least: float | None = None
    most: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    percentage_thresholds: bool = False
    mappings: tuple[dict[str, Any], ...] = ()
    overrides: tuple[Override, ...] = ()
    display_name: str = ""
    reducers: tuple[str, ...] = ("lastNotNull",)
    legend_calcs: tuple[str, ...] = ()
    legend_shown: bool = True
    no_value: str = ""
    interval: str = ""  # least step of all its queries
    max_points: int = 0  # 0: by the panel's width
    repeat: str = ""  # variable
    repeat_downwards: bool = False
    max_per_row: int = 4
    own: tuple[tuple[str, str], ...] = ()  # variables with one value, in a copy made by `repeat`
    time_from: str = ""  # relative time of its own: 1h, now/d
    time_shift: str = ""
    stacked: bool = False
    percent_stacked: bool = False
    span_nulls: bool = False  # gaps are drawn over, all of them
    span_ms: float = 0.0  # or those up to this width
    gap_ms: float = 0.0  # samples farther apart than this are not joined; 0: all are
    nulls_as_zero: bool = False
    bars: bool = False
    points: bool = False
    fill: float = 0.0  # opacity of the area below a line, 0-1
    line_width: float = 1.0
    dashed: bool = False
    log_scale: bool = False
    soft_least: float | None = None
    soft_most: float | None = None
    upside_down: bool = False  # drawn below zero: the transform negative-Y
    hidden: bool = False  # of a series: in the legend alone, or nowhere
    color: str = ""  # of all its series, where the file fixes one
    axis_label: str = ""
    sparkline: bool = True  # of a stat
    colored: bool = True  # a stat's number has the colour of its thresholds
    prefix: str = ""  # of an old singlestat
    postfix: str = ""
    text_mode: str = "auto"  # of a stat: value, name, value_and_name, none
    value_field: str = ""  # of a stat: the label whose text is shown
    draws_thresholds: bool = False  # as lines in a time series
    links: tuple[str, ...] = ()  # addresses
    transformations: tuple[Transformation, ...] = ()
    content: str = ""  # of a text panel
    notes: tuple[str, ...] = ()  # sentences about what is old or cannot be drawn
    unsupported: str = ""  # a sentence, when it cannot be drawn at all


@dataclass(frozen=True)
class Variable:
    name: str
    type: str  # query, custom, interval, datasource, textbox, constant, adhoc
    query: str = ""
    current: tuple[str, ...] = ()  # values the file was saved with
    options: tuple[tuple[str, str], ...] = ()  # text, value
    multi: bool = False
    include_all: bool = False
    all_value: str = ""
    regex: str = ""
    sort: int = 0
    auto: bool = False
    auto_count: int = 30
    auto_min: str = "10s"
    source: Source = Source()
    label: str = ""


@dataclass(frozen=True)
class Annotation:
    name: str
    expr: str
    source: Source = Source()
    title: str = ""  # pattern with {{label}}
    color: str = "#5794F2"


@dataclass(frozen=True)
class Dashboard:
    title: str
    uid: str = ""
    description: str = ""
    panels: tuple[Panel, ...] = ()
    variables: tuple[Variable, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()  # names asked for at import, and the plugin they stand for
    notes: tuple[str, ...] = ()  # sentences about the file
    problems: tuple[str, ...] = ()  # values of a wrong type, and where

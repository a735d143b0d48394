"""What the dashboards have in common: data sources, variables, and one short way to write a panel."""

from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    gauge,
    heatmap,
    logs,
    loki,
    nodegraph,
    piechart,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as promql

# docs/runbooks/ of this repository is mounted there, so Grafana itself serves the pages and no link leaves the machine.
RUNBOOKS = "/public/runbooks"
PROMETHEUS = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
LOKI = models.DataSourceRef(type_val="loki", uid="loki")
JAEGER = models.DataSourceRef(type_val="jaeger", uid="jaeger")
Steps = tuple[tuple[float | None, str], ...]
HTTP = "http_requests_total"
# A version that its job had not ten minutes ago, the job itself was there. The subquery looks at all the time between two points
# of the picture, so that a roll-out is seen at any step.
DEPLOYED = (
    "count_over_time((count by (job, version) (shop_build_info) unless count by (job, version) (shop_build_info offset 10m)"
    " and on (job) count by (job) (shop_build_info offset 10m))[$__rate_interval:15s])"
)
LATENCY: Steps = ((None, "green"), (0.3, "yellow"), (1.0, "red"))
ERRORS: Steps = ((None, "green"), (0.01, "yellow"), (0.05, "red"))
KINDS = {
    "timeseries": timeseries.Panel,
    "stat": stat.Panel,
    "gauge": gauge.Panel,
    "bargauge": bargauge.Panel,
    "table": table.Panel,
    "heatmap": heatmap.Panel,
    "piechart": piechart.Panel,
    "logs": logs.Panel,
    "nodeGraph": nodegraph.Panel,
}


def board(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """An empty dashboard with the data source as a variable, and the deploys as annotations."""
    deploys = (
        dashboard.AnnotationQuery()
        .name("Deploys")
        .datasource(PROMETHEUS)
        .enable(True)
        .hide(False)
        .icon_color("blue")
        .expr(DEPLOYED)
        .title_format("{{job}} {{version}}")
    )
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["shop"])
        .timezone("utc")
        .refresh("30s")
        .time("now-30m", "now")
        .editable()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .annotation(deploys)
        .with_variable(source)
    )


def choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A variable with the values of a query, of which several or all may be chosen."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query(query)
        .definition(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .current(models.VariableOption(text="All", value="$__all", selected=True))
    )


def panel(
    kind: str,
    title: str,
    description: str,
    *queries: str | tuple[str, str],
    unit: str = "",
    width: int = 8,
    height: int = 7,
    steps: Steps = (),
    low: float | None = None,
    high: float | None = None,
    instant: bool = False,
    stacked: bool = False,
    decimals: int | None = None,
    names: dict[str, str] | None = None,
    colors: dict[str, str] | None = None,
) -> Any:
    """A panel of a kind over Prometheus queries: each is a query, or a query and the pattern of its legend.

    `names` renames columns; `colors` gives series of a name (a regular expression) the colour of what they mean.
    """
    made = KINDS[kind]().title(title).description(description).datasource(PROMETHEUS).span(width).height(height)
    for letter, one in zip("ABCDEF", queries, strict=False):
        expr, legend = one if isinstance(one, tuple) else (one, "")
        query = prometheus.Dataquery().ref_id(letter).expr(expr).datasource(PROMETHEUS)
        query = query.instant() if instant else query.range()
        if legend:
            query = query.legend_format(legend)
        if kind == "heatmap":
            query = query.format(promql.PromQueryFormat.HEATMAP)
        elif kind == "table":
            query = query.format(promql.PromQueryFormat.TABLE)
        made = made.with_target(query)
    if unit:
        made = made.unit(unit)
    if steps:
        made = made.thresholds(
            dashboard.ThresholdsConfig()
            .mode(models.ThresholdsMode.ABSOLUTE)
            .steps([models.Threshold(value=value, color=color) for value, color in steps])
        )
        if kind == "timeseries":  # else a time series hides them
            made = made.thresholds_style(common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.LINE))
    if low is not None:
        made = made.min(low)
    if high is not None:
        made = made.max(high)
    if decimals is not None:
        made = made.decimals(decimals)
    for field, shown in (names or {}).items():
        made = made.override_by_name(field, [models.DynamicConfigValue(id_val="displayName", value=shown)])
    made = _colored(made, colors or {})
    if kind == "timeseries":
        made = made.fill_opacity(50 if stacked else 0).line_width(
            0 if stacked else 1
        )  # a line on a stack would be read as a value
        made = made.legend(_legend())
        if stacked:
            made = made.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
    if kind in ("stat", "gauge", "bargauge", "piechart"):
        made = made.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    return made


def _colored(made: Any, colors: dict[str, str]) -> Any:
    for pattern, color in colors.items():
        fixed = {"mode": "fixed", "fixedColor": color}
        made = made.override_by_regexp(pattern, [models.DynamicConfigValue(id_val="color", value=fixed)])
    return made


def with_runbooks(made: models.Dashboard) -> models.Dashboard:
    """Each panel gets a link to the page of its dashboard, under which its title is a heading."""
    for one in made.panels or []:
        if not isinstance(one, models.RowPanel):
            link = dashboard.DashboardLink("Runbook").url(f"{RUNBOOKS}/{made.uid}.md").type(models.DashboardLinkType.LINK)
            one.links = [link.build()]
    return made


def _legend() -> Any:
    return (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
    )


class JaegerQuery(variants.Dataquery):
    """Jaeger's query, which the SDK has no shape for."""

    def __init__(self, query_type: str, service: str = "") -> None:
        self.fields = {"datasource": JAEGER, "queryType": query_type, "refId": "A", **({"service": service} if service else {})}

    def build(self) -> "JaegerQuery":
        return self

    def to_json(self) -> dict[str, object]:
        return self.fields


def lines(title: str, description: str, expr: str, width: int = 24, height: int = 10) -> Any:
    """Log lines of a LogQL query."""
    query = loki.Dataquery().ref_id("A").expr(expr).datasource(LOKI)
    return logs.Panel().title(title).description(description).datasource(LOKI).span(width).height(height).with_target(query)


def counted(
    title: str, description: str, expr: str, legend: str, width: int = 12, height: int = 7, colors: dict[str, str] | None = None
) -> Any:
    """A LogQL metric query as a time series."""
    query = loki.Dataquery().ref_id("A").expr(expr).legend_format(legend).datasource(LOKI)
    made = timeseries.Panel().title(title).description(description).datasource(LOKI).span(width).height(height).unit("short")
    return _colored(made.fill_opacity(0).legend(_legend()).with_target(query), colors or {})


__all__ = [
    "ERRORS",
    "HTTP",
    "JAEGER",
    "LATENCY",
    "LOKI",
    "PROMETHEUS",
    "JaegerQuery",
    "board",
    "choice",
    "counted",
    "lines",
    "panel",
    "with_runbooks",
]

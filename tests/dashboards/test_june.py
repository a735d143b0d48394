"""Dashboards over the archived month: every committed panel has data, every named mistake is found, nothing crashes."""

import json
import re
import subprocess
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pytest
import yaml
from clones import REPO
from files import board, panel, variable
from june_boards import SPAN, june

from monlab import dashboards as dashboard
from monlab.dashboards import asking, public

HOME = REPO / "stack" / "grafana"
NAMES = sorted(path.stem for path in (HOME / "dashboards").glob("*.json"))
EXPORTERS = ("up", "node_", "process_", "pg_", "redis_")


pytestmark = pytest.mark.usefixtures(june.__name__)


def findings(*panels, **more):
    found = dashboard.check(board(*panels, **more), **SPAN)
    return list(found.finding)


def test_the_committed_json_is_what_the_sources_build():
    code = "import sys; sys.path.insert(0, sys.argv[1]); import build, json; print(json.dumps(build.built()))"
    done = subprocess.run([sys.executable, "-c", code, HOME / "dashboards_src"], capture_output=True, text=True, check=True)
    built = json.loads(done.stdout)
    assert {path.name: path.read_text("utf-8") for path in (HOME / "dashboards").glob("*.json")} == built


@pytest.mark.parametrize("name", NAMES)
def test_every_query_has_data_and_nothing_is_wrong(name):
    asked = dashboard.results(name, **SPAN)
    assert len(asked) and not asked[(asked.found == 0) | (asked.error != "")].to_dict("records")
    assert dashboard.check(name, **SPAN).to_dict("records") == []


@pytest.mark.parametrize("name", NAMES)
def test_every_dashboard_is_drawn(name, tmp_path):
    dashboard.show(name, **SPAN)
    plt.savefig(tmp_path / "picture.png")
    words = [text.get_text() for axes in plt.gcf().axes for text in axes.texts]
    titles = {panel.title for panel in dashboard.read(name).panels if panel.type != "row" and "$" not in panel.title}
    assert titles <= set(words)
    assert not [text for text in words if re.search(r"No data|refused|is not up|not drawn|not supported|NaN", text)]
    picture = plt.imread(tmp_path / "picture.png")
    inked = (picture[..., :3].min(axis=2) < 0.9).mean(axis=1)  # of each line of dots, the part that is not paper
    assert picture.shape[1] == 1300 and picture.shape[0] > 300
    assert inked.max() > 0.2 and (inked > 0.005).mean() > 0.3


def test_every_metric_is_of_the_contract_or_an_exporters_own():
    contract = yaml.safe_load((REPO / "stack" / "telemetry.yaml").read_text("utf-8"))["metrics"]
    for name in NAMES:
        for target in (
            target for one in dashboard.read(name).panels for target in one.targets if one.source.type == "prometheus"
        ):
            for metric in re.findall(
                r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+){1,}\b(?=[{\[)]|$| )", re.sub(r"\{[^}]*\}", "{}", target.expr)
            ):
                stem = re.sub(r"_(bucket|sum|count)$", "", metric)
                assert (
                    stem in contract or metric in contract or metric.startswith(EXPORTERS) or metric in ("histogram_quantile",)
                ), metric


@pytest.mark.parametrize(
    ("finding", "made"),
    [
        ("query error", panel("sum(rate(x[5m])")),
        ("empty", panel("no_such_metric")),
        ("wrong unit", panel("avg(http_request_duration_seconds_sum / http_request_duration_seconds_count)", unit="ms")),
        ("wrong unit", panel("node_memory_MemAvailable_bytes", unit="short")),
        ("wrong unit", panel("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", unit="percent")),
        ("wrong unit", panel("rate(node_network_receive_bytes_total[$__rate_interval])", unit="bytes")),
        ("rate over a gauge", panel("rate(inventory_stock[$__rate_interval])")),
        ("averaged percentile", panel("avg(histogram_quantile(0.9, sum by (le, job) (rate(http_request_duration_seconds_bucket[$__rate_interval]))))", unit="s")),
        ("missing by (le)", panel("histogram_quantile(0.9, sum by (job) (rate(http_request_duration_seconds_bucket[$__rate_interval])))", unit="s")),
        ("hard-coded window", panel("sum(rate(http_requests_total[5m]))", unit="reqps")),
        ("wrong unit", panel("sum(rate(http_requests_total{code=~'5..'}[$__rate_interval])) / sum(rate(http_requests_total[$__rate_interval]))", unit="short")),
        ("wrong unit", panel("rate(process_cpu_seconds_total[$__rate_interval])", unit="s")),
        ("wrong unit", panel("sum(rate(http_request_duration_seconds_bucket{le='0.5'}[$__rate_interval])) / sum(rate(http_request_duration_seconds_count[$__rate_interval]))", unit="s")),
        ("rate over a gauge", panel("rate(go_memstats_heap_alloc_bytes[$__rate_interval])", unit="Bps")),
        ("averaged percentile", panel("avg_over_time(histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[$__rate_interval])))[1h:])", unit="s")),
        ("averaged percentile", panel('avg by (job) (go_gc_duration_seconds{quantile="0.75"})', unit="s")),
        ("averaged percentile", panel('sum without (instance, quantile) (go_gc_duration_seconds{quantile="0.75"})', unit="s")),
        ("missing by (le)", panel("histogram_quantile(0.9, sum by (le) (sum by (job) (rate(http_request_duration_seconds_bucket[$__rate_interval]))))", unit="s")),
        ("missing by (le)", panel("histogram_quantile(0.9, sum without (le) (rate(http_request_duration_seconds_bucket[$__rate_interval])))", unit="s")),
        ("unknown variable", panel('up{job="$nowhere"}')),
        ("not drawn", panel("up", kind="table", transformations=[{"id": "partitionByValues", "options": {}}])),
        ("no description", panel("up", description="")),
        ("not supported", panel(kind="geomap")),
        ("old", panel(kind="graph")),
    ],
)  # fmt: skip
def test_a_mistake_is_named(finding, made):
    assert finding in findings(made)


@pytest.mark.parametrize(
    "made",
    [
        panel("up"),
        panel("sum(rate(http_requests_total[5m]))", unit="reqps", title="Requests over 5m"),
        panel("100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)", unit="percent"),
        panel(
            "sum(rate(http_request_duration_seconds_sum[$__rate_interval])) / sum(rate(http_request_duration_seconds_count[$__rate_interval]))",
            unit="s",
        ),
        panel(
            "histogram_quantile(0.9, sum without (instance) (rate(http_request_duration_seconds_bucket[$__rate_interval])))",
            unit="s",
        ),
        panel("sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))", unit="short"),  # cores
        panel("sum by (job) (rate(process_cpu_seconds_total[$__rate_interval]))", unit="cores"),
        panel("sum(rate(shop_orders_total[$__rate_interval])) / sum(rate(http_requests_total[$__rate_interval]))", unit="short"),
        panel("sum(irate(http_requests_total[5m]))", unit="reqps"),  # of the last two samples
        panel("sum(rate(http_requests_total[5m]))", unit="reqps", title="Requests, mean of 5 minutes"),
        panel(
            "histogram_quantile(0.9, sum by (le) (topk(5, rate(http_request_duration_seconds_bucket[$__rate_interval]))))",
            unit="s",
        ),
        panel(  # each instance for itself
            "sum without (job) (histogram_quantile(0.9, sum by (job, instance, le) (rate(http_request_duration_seconds_bucket[$__rate_interval]))))",
            unit="s",
        ),
        panel(
            "sum by (kubernetes_pod_name) (histogram_quantile(0.9, sum by (job, le) (rate(http_request_duration_seconds_bucket[$__rate_interval]))))",
            unit="s",
        ),
        panel("sum(increase(http_requests_total[$__range]))"),
        panel(
            "sum(rate(http_request_duration_seconds_bucket{le='0.5'}[$__rate_interval])) / sum(rate(http_request_duration_seconds_count[$__rate_interval]))",
            unit="percentunit",
        ),
        panel("sum by (job) (rate(http_request_duration_seconds_bucket{le='+Inf'}[$__rate_interval]))", unit="reqps"),
        panel(
            "max by (job) (histogram_quantile(0.9, sum by (job, le) (rate(http_request_duration_seconds_bucket[$__rate_interval]))))",
            unit="s",
        ),
    ],
)
def test_a_good_panel_is_left_alone(made):
    assert findings(made) == []


@pytest.mark.parametrize(
    ("unit", "said"),
    [("byte", "Did you mean bytes?"), ("documents", "as it is."), ("connections", "as it is.")],
)
def test_a_unit_of_ones_own_is_not_taken_for_another(unit, said):
    found = dashboard.check(board(panel("rate(process_cpu_seconds_total[$__rate_interval])", unit=unit)), **SPAN)
    assert found.sentence[found.finding == "unknown unit"].item().endswith(said)


def test_only_units_of_grafana_are_proposed():
    found = dashboard.check(board(panel("rate(process_cpu_seconds_total[$__rate_interval])", unit="s")), **SPAN)
    assert found.sentence.item().endswith("Choose percentunit or short or sishort or none.")


def test_chained_variables_choose_among_each_other():
    chain = [
        variable(
            "instance", 'label_values(up{job=~"$job"}, instance)', includeAll=True, multi=True, current={"value": ["$__all"]}
        ),
        variable("job", "label_values(http_requests_total, job)", current={"value": "payments"}),
    ]
    found = dashboard.results(board(panel('up{instance=~"$instance"}'), templating={"list": chain}), **SPAN)
    assert found.found[0] == 2 and "payments-1:8082" in found["query"][0].replace("\\", "")


def test_a_data_source_that_is_not_here_is_named_on_its_panel():
    strange = {**panel(), "datasource": {"type": "influxdb", "uid": "x"}}
    found = dashboard.results(board(strange, panel(id=2)), **SPAN)
    assert 'the data source "influxdb", which the lab does not have' in found.error[0] and found.error[1] == ""


def test_a_dashboard_that_is_asked_again_asks_the_archive_only_for_what_is_new(monkeypatch):
    questions = []
    ask = asking._ask
    monkeypatch.setattr(asking, "_ask", lambda *words: questions.append(words[2]) or ask(*words))
    first, second = panel("count(up) + 17"), panel("count(up) + 18", id=2)
    found = [dashboard.results(board(*panels), **SPAN).found.tolist() for panels in ([first], [first, second])]
    assert found == [[1], [1, 1]]
    assert questions == ["count(up) + 17", "count(up) + 18"]


def test_inputs_of_an_exported_file_are_filled():
    exported = board(
        {**panel(), "datasource": "${DS_PROM}"}, __inputs=[{"name": "DS_PROM", "type": "datasource", "pluginId": "prometheus"}]
    )
    assert dashboard.results(exported, **SPAN).error[0] == ""


def test_of_500_panels_60_are_drawn_and_it_says_so():
    many = board(
        *(panel(id=number, gridPos={"x": number % 4 * 6, "y": number // 4 * 4, "w": 6, "h": 4}) for number in range(500))
    )
    _, _, shown, said = public._run(many, "30m", SPAN["start"], SPAN["end"], {})
    assert len(shown) == 60 and "60 of 500 panels are drawn, the first ones." in said


@pytest.mark.parametrize(
    "kind",
    [
        "timeseries",
        "stat",
        "gauge",
        "bargauge",
        "table",
        "heatmap",
        "piechart",
        "barchart",
        "logs",
        "nodeGraph",
        "text",
        "state-timeline",
    ],
)
@pytest.mark.parametrize("expr", ["up", "vector(NaN)", "vector(Inf)", "up == 2", "1", "-up", "sum by (le) (rate(http_request_duration_seconds_bucket[5m]))", "(", "label_replace(up, 'x', '$1', 'job', '(.*)')"])  # fmt: skip
def test_no_panel_crashes_whatever_comes_back(kind, expr):
    dashboard.show(board(panel(expr, kind=kind)), **SPAN)
    plt.savefig("/dev/null", format="png", dpi=20)


def test_parsing_and_writing_with_the_sdk_loses_no_key():
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    register_default_plugins()
    for name in NAMES:
        written = json.loads((HOME / "dashboards" / f"{name}.json").read_text("utf-8"))
        again = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))
        assert paths(written) <= paths(again), sorted(paths(written) - paths(again))[:5]
        assert dashboard.read(name).problems == ()


def paths(value, here=""):
    if isinstance(value, dict):
        return {f"{here}.{key}" for key in value} | {path for key, one in value.items() for path in paths(one, f"{here}.{key}")}
    if isinstance(value, list):
        return {path for number, one in enumerate(value) for path in paths(one, f"{here}[{number}]")}
    return set()


def test_values_that_are_all_nan_are_no_data_and_the_check_says_so():
    hollow = board(panel("vector(0) / vector(0)"))
    assert "NaN" in dashboard.check(hollow, **SPAN).set_index("finding").sentence["empty"]
    dashboard.show(hollow, **SPAN)
    assert any(text.get_text().startswith("No data") for axes in plt.gcf().axes for text in axes.texts)


def test_a_server_that_is_not_up_is_named_calmly_where_others_are(monkeypatch):
    jaeger = panel(
        kind="nodeGraph", datasource={"type": "jaeger", "uid": "jaeger"}, targets=[{"refId": "A", "queryType": "dependencyGraph"}]
    )
    there = public.asking.endpoints.read(public.asking.settings())
    rest = {name: url for name, url in there.urls.items() if name != "archive-jaeger"}
    monkeypatch.setattr(public.asking.endpoints, "read", lambda _: type(there)(there.engine, rest))
    dashboard.show(board(jaeger), **SPAN)
    words = {text.get_text().replace("\n", " "): text.get_color() for axes in plt.gcf().axes for text in axes.texts}
    assert words["No data: Jaeger, which this panel asks, is not up here."] == "#888888"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"job": "paymnets"}, r"job has no value 'paymnets'; it offers .*payments.* Did you mean payments\?"),
        ({"job": ["payments", "nobody"]}, r"job has no value 'nobody'"),
        ({"last": "1h"}, r"`start` and `end`, or `last` with one of them"),
    ],
)
def test_what_cannot_be_meant_gets_a_sentence(more, words):
    with pytest.raises(public.LabProblem, match=words):
        dashboard.results("service-red", **SPAN, **more)


def test_a_misspelt_name_gets_the_name_that_was_meant(tmp_path):
    found = (
        dashboard.check(board(panel("rate(up[$__rate_intervall])", unit="percentunits")), **SPAN).set_index("finding").sentence
    )
    assert "Did you mean __rate_interval?" in " ".join(found) and "Did you mean percentunit?" in found["unknown unit"]
    with pytest.raises(public.LabProblem, match=r"no file .*guid\.json.* Did you mean .*guide\.json\?"):
        dashboard.read(str(REPO / "course" / "m03_dashboards" / "files" / "guid.json"))

"""Answers of module 3: queries of panels, looks of panels, and dashboards to be repaired, judged by what they show in June 2026."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from monlab.grading import between, choice, dashboard, every, measured, month, number, over, promql

FILES = Path(__file__).parent / "files"
Board = dict[str, Any]


def board(name: str) -> Board:
    """A dashboard of `files/`, without the API's wrapper."""
    found = json.loads((FILES / f"{name}.json").read_text("utf-8"))
    return dict(found.get("dashboard", found))


def changed(base: Board, title: str, **more: Any) -> Board:
    """A copy in which one panel differs: `expr` of its first query, `unit`, `least`, `most`, `steps`; anything else is the panel's key."""
    made = deepcopy(base)
    panel = next(one for one in made["panels"] if one["title"] == title)
    defaults = panel["fieldConfig"]["defaults"]
    for key, value in more.items():
        if key == "expr":
            panel["targets"][0]["expr"] = value
        elif key == "steps":
            defaults["thresholds"] = {"mode": "absolute", "steps": [{"value": at, "color": color} for at, color in value]}
        elif key in ("unit", "least", "most"):
            defaults[{"least": "min", "most": "max"}.get(key, key)] = value
        else:
            panel[key] = value
    return made


def without(base: Board, title: str) -> Board:
    made = deepcopy(base)
    made["panels"] = [one for one in made["panels"] if one["title"] != title]
    return made


def otherwise(base: Board) -> Board:
    """The same written in another way: as the API wraps it, panels in the other order, other ids, names and places."""
    made = deepcopy(base)
    made["panels"] = list(reversed(made["panels"]))
    for place, panel in enumerate(made["panels"]):
        panel |= {"id": 70 + place, "gridPos": {"x": 0, "y": 9 * place, "w": 24, "h": 9}}
        panel["targets"][0]["legendFormat"] = "line {{job}}"
        panel["targets"][0]["refId"] = "Q"
    return {"dashboard": {**made, "schemaVersion": 39, "id": None}, "folderUid": "shop"}


def literal(base: Board, window: str) -> str:
    """As JSON text, with a window in place of `$__rate_interval`."""
    return json.dumps(base).replace("$__rate_interval", window)


SLOW = over("2026-06-22 12:00", "2026-06-22 16:00")
DAYS = over("2026-06-14 00:00", "2026-06-17 00:00", points=72)
OUTAGE = every("3m", during=between("2026-06-15 09:20", "2026-06-15 11:00"))
CALM = (
    every("13h7m", during=month)
    + every("47m", during=between("2026-06-20 17:00", "2026-06-20 19:20"))  # a third frontend, for the rush
    + every("11m", during=between("2026-06-08 18:07", "2026-06-08 18:29"))  # time-outs (504), and payments that are repeated and voided
)
# Roll-outs: counters start anew, so that a counter added up before the rate is told from a rate added up.
FRONTEND_ROLLED = every("5m", during=between("2026-06-22 12:20", "2026-06-22 13:20"))
PAYMENTS_ROLLED = every("7m", during=between("2026-06-24 09:50", "2026-06-24 11:20"))
REQUESTS, BUCKETS = "http_requests_total", "http_request_duration_seconds_bucket"

# --- what a panel asks ---------------------------------------------------------------------------------------------------

q1 = promql(
    "m03.q1",
    reference=f'sum by (job) (rate({REQUESTS}{{job=~"gateway|payments"}}[4m]))',
    at=CALM + OUTAGE,
    accepts=[
        f'sum by (job) (increase({REQUESTS}{{job=~"(payments|gateway)"}}[4m])) / 240',
        f'sum without (instance, route, code, method, service) (rate({REQUESTS}{{job=~"gateway|payments"}}[240s]))',
    ],
    rejects={
        f'sum by (job) (rate({REQUESTS}{{job="gateway|payments"}}[4m]))': "No job is called like both names together. Several chosen values arrive as a regular expression.",
        f'sum(rate({REQUESTS}{{job=~"gateway|payments"}}[4m]))': "That is one line for both. A line for each job is wanted.",
        f'rate({REQUESTS}{{job=~"gateway|payments"}}[4m])': "That is a line for each route, code and instance. Add them up.",
        f'sum by (job) (increase({REQUESTS}{{job=~"gateway|payments"}}[4m]))': "That is per four minutes. The panel's unit says: a second.",
        f'sum by (job) (rate({REQUESTS}{{job=~"gateway|payments"}}[1m]))': "One minute holds one sample here, and a rate needs two.",
        f"sum by (job) (rate({REQUESTS}[4m]))": "Two services were chosen, and yours shows all.",
    },
    hints=["Which operator of a selector takes several names?", "Keep one label when you add up."],
)

REVENUE, PLACED = "shop_revenue_cents_total", 'shop_orders_total{result="placed"}'

q2 = promql(
    "m03.q2",
    reference=f"sum(increase({REVENUE}[30m])) / (sum(increase({PLACED}[30m])) > 0) / 100",
    at=CALM + OUTAGE + FRONTEND_ROLLED,
    accepts=[
        f"0.01 * sum(rate({REVENUE}[30m])) / (sum(rate({PLACED}[30m])) > 0)",
        f"sum(increase({REVENUE}[30m])) / sum(increase({PLACED}[30m])) / 100 > 0",
    ],
    rejects={
        f"sum(increase({REVENUE}[30m])) / sum(increase({PLACED}[30m])) / 100": "Where nothing was ordered, yours divides nothing by nothing, and the panel shows NaN.",
        f"sum(increase({REVENUE}[30m])) / (sum(increase({PLACED}[30m])) > 0)": "The metric counts cents.",
        f"sum(increase({REVENUE}[30m])) / (sum(increase(shop_orders_total[30m])) > 0) / 100": "You divide by all attempts. Declined and failed ones brought no money.",
        f"sum({REVENUE}) / (sum({PLACED}) > 0) / 100": "You divide the counters themselves: their whole past counts, and they start anew at each restart.",
        f"avg(increase({REVENUE}[30m]) / on (instance) (increase({PLACED}[30m]) > 0)) / 100": "An average of averages: an instance with few orders weighs as much as a busy one. Add up first.",
    },
    hints=["Money of the window over orders of the window.", "A comparison drops what does not fulfil it."],
)

AUTHORIZED, TRIED = 'payments_total{result="authorized"}', 'payments_total{result=~"authorized|declined"}'

q3 = promql(
    "m03.q3",
    reference=f"sum(rate({AUTHORIZED}[1h])) / sum(rate({TRIED}[1h]))",
    at=CALM + OUTAGE + PAYMENTS_ROLLED,
    accepts=[
        f"sum(increase({AUTHORIZED}[1h])) / sum(increase({TRIED}[1h]))",
        f'1 - sum(rate(payments_total{{result="declined"}}[1h])) / sum(rate({TRIED}[1h]))',
    ],
    rejects={
        f"sum(rate({AUTHORIZED}[1h])) / sum(rate(payments_total[1h]))": "A payment is counted at each of its steps. Divide by those steps only that decide whether it succeeds.",
        f'sum(rate({AUTHORIZED}[1h])) / sum(rate(payments_total{{result="declined"}}[1h]))': "You divided by those that failed, not by all that were tried.",
        f'sum(rate(payments_total{{result="declined"}}[1h])) / sum(rate({TRIED}[1h]))': "That is the share that fails.",
        f"100 * sum(rate({AUTHORIZED}[1h])) / sum(rate({TRIED}[1h]))": "The panel's unit is percentunit: it multiplies by 100 itself.",
        f"sum({AUTHORIZED}) / sum({TRIED})": "You divided the counters themselves: their whole past counts. Take a rate first.",
    },
    hints=["Which two results can an attempt have?", "Both sides are sums of rates."],
)

q4 = promql(
    "m03.q4",
    reference=f"histogram_quantile(0.95, sum by (job, le) (rate({BUCKETS}[5m])))",
    at=every("29h7m", during=month)  # few, for it reads each bucket of the shop
    + every("5m", during=between("2026-06-22 12:30", "2026-06-22 12:50"))  # a roll-out
    + every("20m", during=between("2026-06-22 13:10", "2026-06-22 15:30")),
    accepts=[
        f"histogram_quantile(0.95, sum without (instance, route, code, method, service) (rate({BUCKETS}[5m])))",
        f"histogram_quantile(0.95, sum by (le, job) (increase({BUCKETS}[5m])))",
        f"histogram_quantile(0.95, sum by (job, le) (rate({BUCKETS}[5m]))) >= 0",
    ],
    rejects={
        f"avg by (job) (histogram_quantile(0.95, sum by (job, instance, le) (rate({BUCKETS}[5m]))))": "An average of percentiles is no percentile of anything.",
        f"histogram_quantile(0.95, sum by (job) (rate({BUCKETS}[5m])))": "Your sum has dropped the label that holds the bounds of the buckets.",
        f"histogram_quantile(0.95, sum by (le) (rate({BUCKETS}[5m])))": "That is one line for the whole shop.",
        f"histogram_quantile(0.95, sum by (job, le) ({BUCKETS}))": "Without a rate, all requests since the start of each process count.",
        f"histogram_quantile(0.95, rate({BUCKETS}[5m]))": "That is a percentile for each route, code and instance. Add up before you ask for it.",
    },
    hints=["First add up, then ask for the percentile.", "Two labels must be left in the sum."],
)

# --- what a panel looks like ---------------------------------------------------------------------------------------------

q5 = choice(
    "m03.q5",
    options=["timeseries", "stat", "gauge", "bargauge", "heatmap", "table", "logs"],
    right="heatmap",
    accepts=["Heatmap", "`heatmap`", "heat map"],
    rejects={
        "timeseries": "Lines of percentiles hide whether there are one or two kinds of requests.",
        "stat": "One number has no shape.",
        "gauge": "A gauge shows one number against its limits.",
        "bargauge": "Bars show the buckets of one moment. The question is about a whole day.",
        "table": "Who reads a second hump out of rows of numbers?",
        "logs": "Nobody writes a line for each bucket.",
    },
    hints=["Time goes from left to right, duration upwards. What shows how many?"],
    solution="`heatmap`: a band for each kind of work; where the second one begins, one sees when it began.",
)

q6 = choice(
    "m03.q6",
    options=["bytes", "Bps", "bps", "MBs", "short", "percentunit"],
    right="Bps",
    accepts=["`Bps`", "binBps", "bytes/sec(SI)"],
    rejects={
        "bytes": "That is an amount. The query gives how much comes in each second.",
        "bps": "With a small b those are bits: the reader takes eight times too little for what came in.",
        "MBs": "Then one byte a second reads as one megabyte a second: the unit does not divide.",
        "short": "Then the reader sees 1.2 Mil, and must guess of what.",
        "percentunit": "There is no whole of which this would be a share.",
        "kilobytes": "That is none of the options.",
    },
    hints=["What does `rate` do to bytes?", "Small letters count: one of them is bits."],
    solution="`Bps`, bytes a second. `bps` would be bits, and `MBs` says that the number is in megabytes already.",
)

q7 = number(
    "m03.q7",
    expected=240,
    unit="s",
    accepts=["4 min", 240.0, "240 s"],
    rejects={
        "120 s": "That is $__interval, the step. The window must be longer than a step.",
        "180 s": "Step and scrape interval together are one of two lower limits. The other one is higher here.",
        "172.8 s": "That is the range divided by the points. Grafana rounds it, and it is the step, not the window.",
        "20 s": "That is for a scrape every five seconds. The archive has a sample a minute.",
        "60 s": "That is the scrape interval: a window of one scrape holds one sample.",
    },
    hints=["$__rate_interval is the larger of two: step and scrape together, or four scrapes.", "86,400 s over 500 points, rounded to 120 s."],
    solution="The larger of 120 s + 60 s and 4 × 60 s: 240 s.",
)

MEAN = f"sum(increase({REVENUE}[1d])) / sum(increase({PLACED}[1d])) / 100"

q8 = number(
    "m03.q8",
    expected=measured(MEAN, at="2026-06-21 00:00"),
    unit="EUR",
    tolerance=0.003,
    accepts=[
        measured(MEAN.replace("increase", "rate"), at="2026-06-21 00:00"),
        measured(MEAN.replace("1d", "24h"), at="2026-06-21 00:00"),
    ],
    rejects=[
        (measured(MEAN, at="2026-06-21 00:00", times=100), "That is in cents."),
        (measured(MEAN, at="2026-06-20 00:00"), "That is the Friday before."),
        (measured(MEAN, at="2026-06-22 00:00"), "That is Sunday."),
        (measured(MEAN.replace(PLACED, "shop_orders_total"), at="2026-06-21 00:00"), "You divided by all attempts, sold-out products included."),
        (measured("sum(increase(shop_revenue_cents_total[1d])) / 100", at="2026-06-21 00:00"), "That is the revenue of the day."),
    ],
    hints=["The panel is called “Mean order in the range”.", "The range is that day, from midnight to midnight."],
    solution=f"`{MEAN}` on 21 June at 00:00, or the panel “Mean order in the range” of `business` over the 20th",
)

q9 = choice(
    "m03.q9",
    options=[
        "label_values(node_cpu_seconds_total, instance)",
        "label_values(instance)",
        "label_values(up, instance)",
        "label_names()",
        "node_cpu_seconds_total",
    ],
    right="label_values(node_cpu_seconds_total, instance)",
    accepts=["`label_values(node_cpu_seconds_total,instance)`", "label_values(node_cpu_seconds_total{}, instance)", "label_values( node_cpu_seconds_total , instance )", " Label_values(node_cpu_seconds_total, instance) "],
    rejects={
        "label_values(instance)": "That offers every instance of every job. Most of them have no CPU panel to show.",
        "label_values(up, instance)": "Everything that is scraped has an `up`, exporters of databases included.",
        "label_names()": "That lists names of labels, not values.",
        "node_cpu_seconds_total": "That offers whole series with all their labels.",
        "label_values(node_cpu_seconds_total)": "That names a metric where a label is wanted.",
    },
    hints=["Which values of which label, of which metric?"],
    solution="`label_values(node_cpu_seconds_total, instance)`: what has the metric of the panel, and nothing else.",
)

# --- dashboards to be repaired -------------------------------------------------------------------------------------------

P95, BY_SERVICE = "Slow requests (p95) by service", "Requests by service"
AVERAGE = board("ex_average")
MENDED = changed(AVERAGE, P95, expr=f"histogram_quantile(0.95, sum by (job, le) (rate({BUCKETS}[$__rate_interval])))")

q10 = dashboard(
    "m03.q10",
    reference=MENDED,
    seen=[SLOW, DAYS],
    findings=["averaged percentile", "missing by (le)", "empty", "query error"],
    accepts=[
        literal(MENDED, "5m"),
        otherwise(MENDED),
        changed(MENDED, P95, expr=f"1000 * histogram_quantile(0.95, sum without (instance, route, code, method, service) (rate({BUCKETS}[$__rate_interval])))", unit="ms"),
    ],
    rejects=[
        (AVERAGE, "An average of percentiles is no percentile of anything: a route that is asked twice a day weighs as much as a busy one."),
        (changed(MENDED, P95, expr=f"histogram_quantile(0.95, sum by (job) (rate({BUCKETS}[$__rate_interval])))"), "Your sum has dropped the label that holds the bounds of the buckets, so there is nothing to estimate from."),
        (changed(MENDED, P95, expr=f"max by (job) (histogram_quantile(0.95, sum by (job, instance, le) (rate({BUCKETS}[$__rate_interval]))))"), "That is the slowest instance of each service, not the service."),
        (changed(MENDED, P95, expr=f"avg by (job) (histogram_quantile(0.95, sum by (job, instance, le) (rate({BUCKETS}[$__rate_interval]))))"), "It is still an average of percentiles: now one an instance."),
        (changed(MENDED, P95, expr=f"histogram_quantile(0.95, sum by (le) (rate({BUCKETS}[$__rate_interval])))"), "That is one line for the whole shop. The title says: by service."),
        (changed(MENDED, P95, expr="sum by (job) (rate(http_request_duration_seconds_sum[$__rate_interval])) / sum by (job) (rate(http_request_duration_seconds_count[$__rate_interval]))"), "That is the mean. Most requests are fast, so it hides the slow ones."),
        (without(MENDED, BY_SERVICE), "The panel of requests was right, and it is gone."),
        (without(AVERAGE, P95), "Without the panel nothing is wrong with it, and nobody sees how slow it is."),
    ],
    hints=["Buckets can be added up. Percentiles cannot.", "Which labels must be left when you add up the buckets?"],
    solution=f"`histogram_quantile(0.95, sum by (job, le) (rate({BUCKETS}[$__rate_interval])))`",
)  # fmt: skip

API = "API calls, 99 of 100"
PERCENTILE = board("ex_percentile")
API_BUCKETS = f'{BUCKETS}{{job="frontend", route=~"/api/.*"}}'
FOUND = changed(PERCENTILE, API, expr=f"histogram_quantile(0.99, sum by (instance, le) (rate({API_BUCKETS}[$__rate_interval])))")

q11 = dashboard(
    "m03.q11",
    reference=FOUND,
    seen=[SLOW, over("2026-06-20 15:00", "2026-06-20 21:00"), DAYS],
    findings=["averaged percentile", "missing by (le)", "empty", "query error"],
    accepts=[
        literal(FOUND, "10m"),
        otherwise(FOUND),
        changed(FOUND, API, expr=f"histogram_quantile(0.99, sum without (job, route, code, method, service) (increase({API_BUCKETS}[$__rate_interval])))"),
    ],
    rejects=[
        (PERCENTILE, "The panel is empty, and no error says why: your sum has dropped the label that holds the bounds of the buckets."),
        (changed(FOUND, API, expr=f"histogram_quantile(0.99, sum by (le) (rate({API_BUCKETS}[$__rate_interval])))"), "That is the whole frontend. The description says: on each instance."),
        (changed(FOUND, API, expr=f"histogram_quantile(0.95, sum by (instance, le) (rate({API_BUCKETS}[$__rate_interval])))"), "That is 95 of 100."),
        (changed(FOUND, API, expr=f"histogram_quantile(0.99, sum by (instance, le) ({API_BUCKETS}))"), "Without a rate, every call since the start of the process counts, and a bad hour drowns in good weeks."),
        (changed(FOUND, API, expr=f'histogram_quantile(0.99, sum by (instance, le) (rate({BUCKETS}{{job="frontend"}}[$__rate_interval])))'), "Pages are in it, too. The panel is about the API."),
        (changed(FOUND, API, expr=f"histogram_quantile(0.99, rate({API_BUCKETS}[$__rate_interval]))"), "That is a percentile for each route. All of the API together is asked."),
        (changed(FOUND, API, expr=f"max by (instance) (histogram_quantile(0.99, sum by (instance, route, le) (rate({API_BUCKETS}[$__rate_interval]))))"), "That is one route of each instance, the slowest. All of the API together is asked."),
    ],
    hints=["Ask the inner sum alone: which labels does it have?", "A percentile needs the bound of each bucket."],
    solution=f"`histogram_quantile(0.99, sum by (instance, le) (rate({API_BUCKETS}[$__rate_interval])))`",
)  # fmt: skip

SHARE, MEMORY, TIME = "Share of errors", "Memory", "Mean time of an answer"
UNITS = board("ex_units")
SAID = UNITS
for title, unit, text in (
    (SHARE, "percentunit", "Share of the gateway's answers that are 5xx. Above 1 %: look at Service RED."),
    (MEMORY, "bytes", "Memory of each gateway process. It is ended at 512 MiB."),
    (TIME, "s", "Mean time of the gateway's answers. It hides the slow ones: see the percentiles."),
):
    SAID = changed(SAID, title, unit=unit, description=text)
LEAKING = over("2026-06-08 12:00", "2026-06-08 20:00")

q12 = dashboard(
    "m03.q12",
    reference=SAID,
    seen=[LEAKING, DAYS],
    findings=["wrong unit", "no description", "empty", "query error"],
    asks=["description"],
    accepts=[
        literal(changed(SAID, MEMORY, unit="decbytes"), "4m"),
        changed(changed(SAID, SHARE, expr="100 * " + SAID["panels"][0]["targets"][0]["expr"], unit="percent"), TIME, unit="dtdurations"),
        changed(otherwise(SAID)["dashboard"], MEMORY, expr='process_resident_memory_bytes{job="gateway"} / 1024 / 1024', unit="mbytes"),
    ],
    rejects=[
        (UNITS, "0.004 with the unit percent reads as 0.004 %. The query gives a share from 0 to 1."),
        (changed(SAID, SHARE, expr="100 * (" + SAID["panels"][0]["targets"][0]["expr"] + ")"), "Now it is multiplied twice: once by the query, once by the unit."),
        (changed(SAID, MEMORY, unit="short"), "A number like 233 Mil: of what? The metric's name ends in its unit."),
        (changed(SAID, MEMORY, unit="bits"), "Those are bits: a process looks eight times smaller than it is."),
        (changed(SAID, TIME, unit="ms"), "Everything looks a thousand times faster than it is: the unit is not the metric's."),
        (changed(SAID, TIME, description=""), "Still without a description: who is woken at 3 a.m. does not know what this panel is for."),
        (changed(SAID, TIME, description="Mean time of an answer."), "A description that repeats the title helps nobody. What does it show, and what is to be done?"),
        (changed(SAID, TIME, description="Gateway answers"), "Two words do not tell who is woken at 3 a.m. what to do. Three at least are asked."),
    ],
    hints=["Prometheus counts in base units, and a metric's name ends in its unit.", "A unit of Grafana says what the number is. It does not convert."],
    solution="Units `percentunit`, `bytes` and `s`, and a description for each panel: what it shows, and what to do.",
)  # fmt: skip

STOCK, IN_RANGE, UP = "Stock", "Orders in the range", "Services up"
COUNTERS = board("ex_counters")
COUNTED = COUNTERS
SERVICES = 'up{job=~"frontend|gateway|payments|inventory"}'
for title, expr in (
    (STOCK, "max by (sku) (inventory_stock)"),
    (IN_RANGE, 'sum(increase(shop_orders_total{result="placed"}[$__range]))'),
    (UP, f"sum({SERVICES})"),
):
    COUNTED = changed(COUNTED, title, expr=expr)

q13 = dashboard(
    "m03.q13",
    reference=COUNTED,
    seen=[over("2026-06-26 10:00", "2026-06-26 16:04", points=400), over("2026-06-21 00:00", "2026-06-24 00:00", points=72)],
    findings=["rate over a gauge", "empty", "query error"],
    accepts=[
        otherwise(COUNTED),
        changed(changed(COUNTED, STOCK, expr='inventory_stock{instance="inventory-2:8083"}'), UP, expr=f"count({SERVICES} == 1)"),
        changed(COUNTED, IN_RANGE, expr='sum(rate(shop_orders_total{result="placed"}[$__range])) * $__range_s'),
    ],
    rejects=[
        (COUNTERS, "Stock goes up and down. `rate` takes each sale for a restart of a counter."),
        (changed(COUNTED, STOCK, expr="sum by (sku) (inventory_stock)"), "Both instances count the same shelf: yours shows every piece twice."),
        (changed(COUNTED, STOCK, expr="inventory_stock"), "Two lines for each product: both instances count the same shelf."),
        (changed(COUNTED, IN_RANGE, expr='sum(shop_orders_total{result="placed"})'), "That is all since the start of each process, and it falls at each restart. The panel says: in the range."),
        (changed(COUNTED, IN_RANGE, expr="sum(increase(shop_orders_total[$__range]))"), "Declined, failed and sold-out attempts are in it."),
        (changed(COUNTED, IN_RANGE, expr='sum(increase(shop_orders_total{result="placed"}[1h]))'), "That is the last hour, whatever range one chooses."),
        (changed(COUNTED, UP, expr="count(up)"), "That counts every target, exporters included, and those that are down."),
        (changed(COUNTED, UP, expr="sum(up)"), "Exporters and Pushgateway are no services of the shop."),
        (changed(COUNTED, UP, expr=f"count({SERVICES})"), "That counts those that are down, too: `up` is there either way."),
    ],
    hints=["Which of the three metrics only ever grows?", "The range on the screen has a variable of its own.", "`up` is 1 or 0. What does adding up do to it?"],
    solution='`max by (sku) (inventory_stock)`, `sum(increase(shop_orders_total{result="placed"}[$__range]))` and a sum of `up` of the four jobs',
)  # fmt: skip

FAILING = "Calls between services that fail"
WINDOW = board("ex_window")
CALLS = 'upstream_requests_total{outcome!="ok"}'
FREE = changed(WINDOW, BY_SERVICE, expr=f"sum by (job) (rate({REQUESTS}[$__rate_interval]))")
FREE = changed(FREE, FAILING, expr=f"sum by (upstream) (rate({CALLS}[$__rate_interval]))")

q14 = dashboard(
    "m03.q14",
    reference=FREE,
    seen=[over("2026-06-15 08:00", "2026-06-15 12:00"), DAYS, over("2026-06-17 13:30", "2026-06-17 15:30", points=24)],
    findings=["hard-coded window", "empty", "query error"],
    asks=["zoom"],
    accepts=[
        otherwise(FREE),
        literal(FREE, "${__rate_interval}"),
        changed(FREE, BY_SERVICE, expr=f"sum by (job) (increase({REQUESTS}[$__rate_interval])) * 1000 / $__rate_interval_ms"),
    ],
    rejects=[
        (WINDOW, "One minute holds one sample here, and a rate needs two: the panel is empty."),
        (changed(FREE, BY_SERVICE, expr=f"sum by (job) (rate({REQUESTS}[5m]))"), "Five minutes fit this range. Over three days, most of what happened falls between two points."),
        (changed(FREE, FAILING, expr=f"sum by (upstream) (rate({CALLS}[5m]))"), "This one still looks back five minutes, however far one zooms."),
        (changed(FREE, BY_SERVICE, expr=f"sum by (job) (rate({REQUESTS}[$__interval]))"), "$__interval is the step. Close up it is one scrape long, and a rate needs two samples."),
        (changed(FREE, BY_SERVICE, expr=f"sum by (job) (rate({REQUESTS}[$__range]))"), "That is one average over the whole screen at every point: the curve is nearly flat."),
        (changed(FREE, BY_SERVICE, expr=f"sum by (job) (rate({REQUESTS}[1h]))"), "An hour hides whatever is shorter, however close one looks."),
    ],
    hints=["A window should grow when one zooms out, and never hold fewer than two samples.", "Grafana has a variable for that."],
    solution="`[$__rate_interval]` in both panels",
)  # fmt: skip

CPU, RAM, DISK, NETWORK = "CPU in use", "Memory in use", "Root disk in use", "Network in"
SYSTEM = board("ex_system_overview")
CHOSEN = 'instance=~"$instance"'
WHOLE = changed(SYSTEM, CPU, expr=f'100 - avg by (instance) (rate(node_cpu_seconds_total{{{CHOSEN}, mode="idle"}}[$__rate_interval])) * 100')
WHOLE = changed(WHOLE, CPU, steps=[(None, "green"), (70, "yellow"), (90, "red")], description="Share of all cores that is not idle. Above 90 % for long: who is it?")
WHOLE = changed(WHOLE, RAM, expr=f"1 - node_memory_MemAvailable_bytes{{{CHOSEN}}} / node_memory_MemTotal_bytes{{{CHOSEN}}}", description="Share of memory that programs cannot have any more.")
WHOLE = changed(WHOLE, DISK, expr=f'1 - node_filesystem_avail_bytes{{{CHOSEN}, mountpoint="/"}} / node_filesystem_size_bytes{{{CHOSEN}, mountpoint="/"}}', description="Share of the root file system. At 85 % somebody has to act.")
WHOLE = changed(WHOLE, NETWORK, expr=f"rate(node_network_receive_bytes_total{{{CHOSEN}}}[$__rate_interval])", unit="Bps", description="Bytes a second that come in, by network card.")
WHOLE["templating"]["list"][0] |= {"multi": True, "includeAll": True}
ONE_CHOICE = deepcopy(WHOLE)
ONE_CHOICE["templating"]["list"][0] |= {"multi": False, "includeAll": False}
NO_VARIABLE = {key: value for key, value in WHOLE.items() if key != "templating"}
EVERYTHING = deepcopy(WHOLE)
EVERYTHING["templating"]["list"][0]["query"] = "label_values(up, instance)"
ALL_VALUE = deepcopy(WHOLE)
ALL_VALUE["templating"]["list"][0] |= {"allValue": ".*", "query": {"query": 'label_values(up{job="node"}, instance)', "refId": "A"}}

q15 = dashboard(
    "m03.q15",
    reference=WHOLE,
    seen=[
        over("2026-06-22 11:00", "2026-06-22 16:00", points=60, instance="db-1:9100"),
        over("2026-06-18 00:00", "2026-06-21 00:00", points=72, instance=("web-1:9100", "db-1:9100")),
        over("2026-06-22 14:00", "2026-06-22 17:00", points=36, instance="$__all"),
    ],
    findings=["hard-coded window", "wrong unit", "no description", "empty", "query error", "unknown variable"],
    asks=["thresholds", "description", "choices", "zoom"],
    accepts=[
        {"dashboard": WHOLE},
        changed(ALL_VALUE, NETWORK, expr=f"rate(node_network_receive_bytes_total{{{CHOSEN}}}[$__rate_interval]) / 1024", unit="KiBs"),
        changed(changed(WHOLE, RAM, expr="100 * (" + WHOLE["panels"][1]["targets"][0]["expr"] + ")", unit="percent"), CPU, steps=[(None, "#56a64b"), (70, "orange"), (90, "dark-red")]),
        changed(WHOLE, CPU, expr=f'1 - avg by (instance) (rate(node_cpu_seconds_total{{mode="idle", {CHOSEN}}}[$__rate_interval]))', unit="percentunit", steps=[(None, "green"), (0.7, "yellow"), (0.9, "red")], most=1),
    ],
    rejects=[
        (SYSTEM, "One machine at a time: several, and All, cannot be chosen."),
        (NO_VARIABLE, "There is no variable `instance`, so nobody can choose a machine by it."),
        (EVERYTHING, "The variable offers what has no CPU to show. Only machines belong there."),
        (changed(WHOLE, CPU, expr=WHOLE["panels"][0]["targets"][0]["expr"].replace("=~", "=")), "When several machines are chosen, the panel is empty: one equals sign compares with one name."),
        (changed(WHOLE, CPU, expr=WHOLE["panels"][0]["targets"][0]["expr"].replace("$__rate_interval", "5m")), "This panel's window does not follow the range on the screen."),
        (changed(WHOLE, CPU, steps=[(70, "yellow"), (90, "red")]), "Below 70 the panel is yellow: the first step's colour holds for everything below the second, so green needs a step."),
        (changed(WHOLE, CPU, steps=[(None, "red"), (70, "yellow"), (90, "green")]), "A busy CPU is green here."),
        (changed(WHOLE, CPU, steps=[(None, "green"), (0.7, "yellow"), (0.9, "red")]), "Thresholds are compared with the query's numbers: this panel is always red."),
        (changed(WHOLE, RAM, expr="1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"), "Whatever is chosen, the memory panel shows all machines: it does not use the variable."),
        (changed(WHOLE, RAM, expr="100 * (" + WHOLE["panels"][1]["targets"][0]["expr"] + ")"), "The memory panel shows 4,000 %: both query and unit multiply."),
        (changed(WHOLE, DISK, expr=SYSTEM["panels"][2]["targets"][0]["expr"]), "Whatever is chosen, the disk panel shows all machines: it does not use the variable."),
        (changed(WHOLE, NETWORK, unit="bytes"), "An amount of bytes, says the unit. The query gives how many come in each second."),
        (changed(WHOLE, NETWORK, expr=f"rate(node_network_receive_bytes_total{{{CHOSEN}}}[$__rate_interval]) / 1024 / 1024", unit="MBs"), "Divided by 1,024 twice is MiB, and the unit says MB."),
    ],
    hints=[
        "`dashboard.check` finds half of it. The other half shows when you choose: one machine, both, All.",
        "A variable with several values arrives as a regular expression.",
        "Leave bytes as bytes: the unit does the dividing.",
    ],
)  # fmt: skip

AVAILABLE = "Availability"
AVAILABILITY = board("ex_availability")
GOOD, ALL = f'{REQUESTS}{{job="gateway", code!~"5.."}}', f'{REQUESTS}{{job="gateway"}}'
SHARED = f"sum(increase({GOOD}[$__range])) / sum(increase({ALL}[$__range]))"
STEPS = [(None, "red"), (0.999, "green")]
PROMISED = changed(AVAILABILITY, AVAILABLE, expr=SHARED, least=0, most=1, steps=STEPS)

q16 = dashboard(
    "m03.q16",
    reference=PROMISED,
    seen=[over("2026-06-15 00:00", "2026-06-16 00:00"), over("2026-06-17 00:00", "2026-06-20 00:00"), over("2026-06-15 09:00", "2026-06-15 11:00")],
    findings=["wrong unit", "empty", "query error"],
    asks=["thresholds", "scale"],
    accepts=[
        changed(PROMISED, AVAILABLE, expr=f'1 - sum(rate({REQUESTS}{{job="gateway", code=~"5.."}}[$__range])) / sum(rate({ALL}[$__range]))'),
        changed(PROMISED, AVAILABLE, steps=[(0.99, "red"), (0.999, "green")]),  # the first step is for all below, number or not
        changed(PROMISED, AVAILABLE, steps=[(None, "red"), (0.99, "dark-red"), (0.999, "green")]),  # red either way
        changed(PROMISED, AVAILABLE, expr=f"100 * {SHARED}", unit="percent", most=100, steps=[(None, "red"), (99.9, "green")]),
        otherwise(PROMISED),
    ],
    rejects=[
        (changed(AVAILABILITY, AVAILABLE, least=0, steps=STEPS), "An average of shares: a route that is hardly asked weighs as much as a busy one. A promise is about requests."),
        (changed(PROMISED, AVAILABLE, expr=f"sum(rate({GOOD}[5m])) / sum(rate({ALL}[5m]))"), "That is the last five minutes. A promise holds over the range."),
        (changed(PROMISED, AVAILABLE, expr=f'sum(increase({REQUESTS}{{job="gateway", code=~"5.."}}[$__range])) / sum(increase({ALL}[$__range]))'), "That is the share that fails."),
        (changed(PROMISED, AVAILABLE, expr=SHARED.replace('job="gateway", ', "").replace('{job="gateway"}', "")), "That is all services together: each request is counted in each service it passes."),
        (changed(PROMISED, AVAILABLE, least=0.99), "The scale begins at 99 %: a day of 93 % looks like one of 99 %."),
        (changed(PROMISED, AVAILABLE, steps=[(0.99, "yellow"), (0.999, "green")]), "What lies below 99.9 % is yellow or orange: the first step's colour holds for everything below the second."),
    ],
    hints=["Which requests count, and how much each?", "Add up, then divide once.", "Where should the arc begin, and which colour is for all that lies below?"],
    solution=f"`{SHARED}`, minimum 0, first step `null`",
)  # fmt: skip

# --- a dashboard of one's own --------------------------------------------------------------------------------------------

SOURCE = {"type": "prometheus", "uid": "prometheus"}


def chosen(name: str, query: str, **more: Any) -> Board:
    return {"name": name, "type": "query", "datasource": SOURCE, "query": query, "multi": True, "includeAll": True, **more}


def panel(title: str, expr: str, unit: str, **more: Any) -> Board:
    grid, defaults = {"x": 0, "y": 0, "w": 12, "h": 7}, {"unit": unit}
    made = {"type": "timeseries", "title": title, "datasource": SOURCE, "gridPos": grid, "description": "Of the instances that are chosen above."}
    return {**made, "targets": [{"refId": "A", "expr": expr}], "fieldConfig": {"defaults": defaults, "overrides": []}, **more}


BY_INSTANCE, LATENCY = "Requests by instance", "Slow requests (p95)"
JOBS, CHAINED = f"label_values({REQUESTS}, job)", f'label_values({REQUESTS}{{job=~"$job"}}, instance)'
BOTH = 'job=~"$job", instance=~"$instance"'
RATE = f"sum by (instance) (rate({REQUESTS}{{{BOTH}}}[$__rate_interval]))"
SLOWEST = f"histogram_quantile(0.95, sum by (le) (rate({BUCKETS}{{{BOTH}}}[$__rate_interval])))"


def own(*panels: Board, job: Board | None = None, instance: Board | None = None) -> Board:
    variables = [job or chosen("job", JOBS), instance or chosen("instance", CHAINED)]
    return {"title": "One service", "schemaVersion": 41, "templating": {"list": variables}, "panels": list(panels)}


TWO = (panel(BY_INSTANCE, RATE, "reqps"), panel(LATENCY, SLOWEST, "s"))

q17 = dashboard(
    "m03.q17",
    reference=own(*TWO),
    seen=[
        over("2026-06-22 12:00", "2026-06-22 16:00", job="payments", instance="$__all"),
        over("2026-06-20 15:00", "2026-06-20 19:00", job=("frontend", "gateway"), instance=("frontend-1:8080", "gateway-2:8081")),
        over("2026-06-16 00:00", "2026-06-19 00:00", points=72, job="$__all", instance="$__all"),
    ],
    findings=["query error", "empty", "wrong unit", "no description", "averaged percentile", "missing by (le)", "unknown variable"],
    asks=["choices", "description"],
    accepts=[
        own(*reversed(TWO), job=chosen("job", 'label_values(up{job=~"frontend|gateway|payments|inventory"}, job)', allValue=".+")),
        literal(own(panel("How much", RATE, "ops"), panel("How slow", "1000 * " + SLOWEST, "ms")), "5m"),
        own(*TWO, panel("Up", f"sum by (instance) (up{{{BOTH}}})", "short")),
    ],
    rejects=[
        (own(*TWO, instance=chosen("instance", f"label_values({REQUESTS}, instance)")), "Whatever service is chosen, all instances are offered: the second variable does not ask for the first."),
        (own(*TWO, job=chosen("job", "label_values(up, job)")), "The variable offers jobs that answer no requests, such as exporters."),
        (own(*TWO, instance=chosen("instance", CHAINED, includeAll=False)), "All instances of a service at once cannot be chosen."),
        (own(*TWO, job=chosen("job", JOBS, multi=False)), "Two services at once cannot be chosen."),
        (own(panel(BY_INSTANCE, RATE.replace(', instance=~"$instance"', ""), "reqps"), TWO[1]), "The first panel shows all instances of the service, whichever is chosen."),
        (own(panel(BY_INSTANCE, RATE.replace("=~", "="), "reqps"), TWO[1]), "One equals sign compares with one name. Several names, and All, arrive as a regular expression."),
        (own(panel(BY_INSTANCE, RATE, "short"), TWO[1]), "Requests of what: a second, a minute, a day? The unit does not say."),
        (own(TWO[0], panel(LATENCY, SLOWEST.replace("by (le)", "by (instance)"), "s")), "The sum has dropped the label that holds the bounds of the buckets: the panel is empty."),
        (own(TWO[0]), "One of the two panels is missing."),
    ],
    hints=[
        "The query of a variable may hold another variable.",
        "`label_values(metric{label=~\"$other\"}, label)`",
        "Begin with a copy of a panel that works: the JSON of `service-red` lies in `stack/grafana/dashboards`.",
    ],
)  # fmt: skip

# --- files, and the detective --------------------------------------------------------------------------------------------

q18 = choice(
    "m03.q18",
    options=["no title in the file", "the API's wrapper", "a wrong data source", "an old schemaVersion", "the folder does not exist"],
    right="the API's wrapper",
    accepts=["The API’s wrapper", "`the API's wrapper`", "API's wrapper", "API wrapper", "wrapper", "the wrapper"],
    rejects={
        "no title in the file": "There is one: look where it stands.",
        "a wrong data source": "Grafana loads such a dashboard all the same; its panels would complain.",
        "an old schemaVersion": "Grafana rewrites old files when it loads them, without a word.",
        "the folder does not exist": "Then nothing would have been read, and nothing refused.",
        "a missing uid": "Grafana makes up a uid where there is none.",
    },
    hints=["Where does Grafana look for the title, and what stands there?"],
    solution='The API\'s wrapper: `{"dashboard": ...}` is what the HTTP API wants. Provisioning looks for `title` at the top, and finds none.',
)

q19 = choice(
    "m03.q19",
    options=["frontend", "gateway", "payments", "inventory"],
    right="inventory",
    accepts=["Inventory", "`inventory`", "the inventory"],
    rejects={
        "frontend": "It waits for somebody. Whom does it call, and how long do those calls take?",
        "gateway": "The slowest of the four, and it hands the order on to two others. Which of them answers late?",
        "payments": "As fast as the hour before: look at its line alone.",
        "postgres": "That is no service of the shop, and not far off. Which service asks it?",
    },
    hints=["Choose one service at a time in `service-red`.", "A caller cannot be faster than those it calls. Go down until nobody below is slow."],
    solution="`inventory`: reservations wait for a database connection; gateway and frontend wait for it.",
)

q20 = number(
    "m03.q20",
    expected=780,
    unit="min",
    tolerance=0.004,
    accepts=["13 h", "780 min", 782],
    rejects={
        "750 min": "Half past twelve is the roll-out of the frontend. Nothing became slower then.",
        "840 min": "By then it has lasted for an hour. Look for the first minutes that are slower.",
        "900 min": "That is the end.",
        "60 min": "Counted from noon? The question counts from midnight.",
        "720 min": "At noon all is well.",
    },
    hints=["Take a short range, and the percentile of the service that you found."],
    solution="13:00, which is 780 minutes after midnight",
)

q21 = choice(
    "m03.q21",
    options=["the roll-out of the frontend", "too few database connections", "too many customers", "the cache is away", "a full disk", "a lost network"],
    right="too few database connections",
    accepts=["Too few database connections", "database connections", "too few connections"],
    rejects={
        "the roll-out of the frontend": "It came half an hour before, and it was over in minutes. What is near in time need not be the cause.",
        "too many customers": "There are as many as on any Monday at that hour.",
        "the cache is away": "Hits go on as before.",
        "a full disk": "Then writing would fail. Here all works, late.",
        "a lost network": "Then calls would fail. Here all work, late.",
    },
    hints=["What does the service wait for? Its pool has a size, and a queue.", "`inventory_db_waiting_requests`"],
    solution="All ten connections of each pool are taken, and requests queue for one: `inventory_db_waiting_requests`. A report holds them.",
)

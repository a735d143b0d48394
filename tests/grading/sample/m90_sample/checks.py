"""One check of each kind (pages of metrics: test_pages.py), over the small month of these tests. A course's own checks look like this."""

from monlab.grading import (
    alert,
    between,
    choice,
    dashboard,
    every,
    logql,
    measured,
    month,
    number,
    over,
    promql,
    relabelling,
    route,
    rule_test,
    rules,
    target_list,
    unit_test,
)

instants = every("7h13m", during=month) + every("3m", during=between("2026-06-15 09:20", "2026-06-15 10:30"))

error_share = promql(
    "m90.q1",
    reference='sum(rate(requests_total{job="shop",code="500"}[1h])) / sum(rate(requests_total{job="shop"}[1h]))',
    at=instants,
    accepts=[
        'sum(increase(requests_total{code=~"5..",job="shop"}[1h])) / sum(increase(requests_total{job="shop"}[1h]))',
        '1 - sum(rate(requests_total{job="shop",code!="500"}[1h])) / sum(rate(requests_total{job="shop"}[1h]))',
    ],
    rejects={
        'sum(rate(requests_total{job="shop",code="500"}[1h])) / sum(rate(requests_total{job="shop",code="200"}[1h]))': (
            "You divided by the good requests, not by all of them."
        ),
        'sum(requests_total{job="shop",code="500"}) / sum(requests_total{job="shop"})': (
            "You divided the counters themselves: their whole past counts, and they start anew. Take a rate first."
        ),
        'sum(rate(requests_total{code="500"}[1h])) / sum(rate(requests_total[1h]))': "Another job has the same metric. Select `job`.",
        'sum(rate(requests_total{job="shop",code="500"}[1m])) / sum(rate(requests_total{job="shop"}[1m]))': (
            "A window of one minute holds one sample here, and a rate needs two."
        ),
        'rate(requests_total{job="shop",code="500"}[1h]) / on (instance) rate(requests_total{job="shop"}[1h])': (
            "The right side has several series for an instance, one a code. Sum before you divide."
        ),
    },
    hints=["Which two counts make a share?", "The same selector twice, once with `code`.", "Sum both sides before you divide."],
)

by_instance = promql(
    "m90.q2",
    reference='sum by (instance) (rate(requests_total{job="shop"}[10m]))',
    at=instants,
    accepts=[
        'sum without (code, job) (rate(requests_total{job="shop"}[10m]))',
        'sum by (instance) (increase(requests_total{job="shop"}[10m])) / 600',
    ],
    rejects={
        'sum by (instance, code) (rate(requests_total{job="shop"}[10m]))': "The label `code` is left: one series an instance is wanted.",
        'sum(rate(requests_total{job="shop"}[10m]))': "You summed the instances, too. Keep `instance`.",
        'sum by (instance) (increase(requests_total{job="shop"}[10m]))': "That is per ten minutes; per second is wanted.",
        'sum by (instance) (rate(requests_total{job="shop"}[5m]))': "The window is five minutes; ten are wanted.",
    },
    hints=["`by` keeps labels."],
)

allowance = number(
    "m90.q3",
    expected=30 * 24 * 60 * 0.001,
    monthly=True,
    unit="min",
    accepts=["43.2 min", 43.2, "2592 s", "0.72 h", "43 min 12 s"],
    rejects={
        "40.32 min": "June has 30 days, not 28.",
        "432 min": "That is one percent; 99.9 % leaves a thousandth.",
        "4.32 min": "That is a hundredth of a percent; 99.9 % leaves a thousandth.",
        "43156.8 min": "That is the time the service must work. The budget is the rest.",
    },
    hints=["30 days in minutes, times what may fail."],
    solution="30 × 24 × 60 min × 0.001 = 43.2 min",
)

requests_of_the_day = number(
    "m90.q4",
    expected=measured('sum(increase(requests_total{job="shop"}[1d]))', at="2026-06-16 00:00"),
    unit="requests",
    tolerance=0.001,
    accepts=[
        measured('sum(increase(requests_total{job="shop"}[24h]))', at="2026-06-16 00:00"),
        measured('sum(rate(requests_total{job="shop"}[1d]))', at="2026-06-16 00:00", times=86400),
    ],
    rejects=[
        (measured("sum(increase(requests_total[1d]))", at="2026-06-16 00:00"), "Another job is in it."),
        (measured('sum(requests_total{job="shop"})', at="2026-06-16 00:00"), "That is the counter's value, not what it grew by."),
        (measured('sum(increase(requests_total{job="shop"}[1d]))', at="2026-06-15 00:00"), "That is the day before."),
        (measured('sum(rate(requests_total{job="shop"}[1d]))', at="2026-06-16 00:00"), "That is per second."),
    ],
    hints=["`increase` over a day, asked at its end."],
    solution='`sum(increase(requests_total{job="shop"}[1d]))` at midnight',
)

rate_or_irate = choice(
    "m90.q5",
    options=["rate", "irate", "increase", "delta", "deriv"],
    right="rate",
    accepts=["Rate", " `rate` "],
    rejects={
        "irate": "It looks at the last two samples only, so it jumps.",
        "increase": "That is per window, not per second.",
        "delta": "That is for gauges.",
        "deriv": "That fits a line through a gauge.",
    },
    hints=["Per second, over the whole window."],
)

golden_signals = choice(
    "m90.q6",
    options=["latency", "traffic", "errors", "saturation", "cost", "uptime"],
    right={"latency", "traffic", "errors", "saturation"},
    accepts=[["Errors", "traffic", "latency", "saturation"], ("saturation", "latency", "errors", "traffic")],
    rejects=[
        ("cost", "Money is no signal of a service's health."),
        ("uptime", "Whether it runs is not what its users feel."),
        (["latency", "errors"], "Two more: how much is asked, and how full it is."),
        (["latency", "traffic", "errors"], "One more: how full it is."),
    ],
    hints=["Four of them."],
)

GROUP = """
groups:
  - name: shop
    rules:
      - alert: ShopDown
        expr: {expr}
        for: {wait}
        labels: {{severity: {severity}}}
"""
UP = GROUP.format(expr='up{job="shop"} == 0', wait="5m", severity="page")
DOWN_TEN_MINUTES = """
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="shop", instance="a"}', values: '1x5 0x20'}
      - {series: 'up{job="shop", instance="b"}', values: '1x30'}
      - {series: 'up{job="backup", instance="c"}', values: '0x30'}
    promql_expr_test:
"""
AT = "      - {{expr: '{expr}', eval_time: {at}, exp_samples: [{samples}]}}\n"
FIRING = 'count by (instance) (ALERTS{alertname="ShopDown", alertstate="firing"})'
ONE = '{labels: "{instance=\\"a\\"}", value: 1}'

shop_down = rules(
    "m90.q7",
    reference=UP,
    tests=[
        unit_test(
            "After ten minutes without a target the alert must fire.",
            DOWN_TEN_MINUTES
            + AT.format(
                expr='count(ALERTS{alertname="ShopDown", alertstate="firing", instance="a"})',
                at="15m",
                samples='{labels: "{}", value: 1}',
            ),
        ),
        unit_test(
            "It fires for another job, too.",
            DOWN_TEN_MINUTES + AT.format(expr='count(ALERTS{job="backup", alertstate="firing"})', at="20m", samples=""),
        ),
        unit_test(
            "It fires for a target that is up.",
            DOWN_TEN_MINUTES + AT.format(expr='count(ALERTS{instance="b", alertstate="firing"})', at="20m", samples=""),
        ),
        unit_test(
            "It must wait five minutes: a restart is no outage.",
            DOWN_TEN_MINUTES + AT.format(expr='count(ALERTS{instance="a", alertstate="firing"})', at="9m", samples=""),
        ),
        unit_test(
            "It pages: the label `severity` must be `page`.",
            DOWN_TEN_MINUTES
            + AT.format(
                expr='count(ALERTS{instance="a", alertstate="firing", severity="page"})',
                at="15m",
                samples='{labels: "{}", value: 1}',
            ),
        ),
    ],
    accepts=[
        GROUP.format(expr='1 - up{job="shop"} > 0', wait="300s", severity="page"),
        GROUP.format(expr='up{job=~"shop"} < 1', wait="5m", severity='"page"')
        + '        annotations: {summary: "{{ $labels.instance }} is down"}\n',
    ],
    rejects={
        GROUP.format(expr="up == 0", wait="5m", severity="page"): "It fires for another job, too.",
        GROUP.format(expr='up{job="shop"} >= 0', wait="5m", severity="page"): "It fires for a target that is up.",
        GROUP.format(
            expr='up{job="shop"} == 0', wait="1m", severity="page"
        ): "It must wait five minutes: a restart is no outage.",
        GROUP.format(expr='up{job="shop"} == 0', wait="5m", severity="info"): "It pages: the label `severity` must be `page`.",
        GROUP.format(
            expr='up{job="shop"} == 0', wait="20m", severity="page"
        ): "Twenty minutes are too long: it must fire after ten.",
    },
    hints=["`up` is 0 for a target that cannot be scraped."],
)

its_test = rule_test(
    "m90.q8",
    rules=UP,
    broken={
        GROUP.format(
            expr='up{job="shop"} == 0', wait="0m", severity="page"
        ): "Your test does not notice a rule that does not wait.",
        GROUP.format(
            expr='up{job="shop"} == 0', wait="1h", severity="page"
        ): "Your test does not notice a rule that waits an hour.",
        GROUP.format(expr="up == 0", wait="5m", severity="page"): "Your test does not notice a rule that fires for other jobs.",
    },
    reference="rule_files: [rules.yml]"
    + DOWN_TEN_MINUTES
    + AT.format(expr=FIRING, at="8m", samples="")
    + AT.format(expr=FIRING, at="15m", samples=ONE),
    accepts=[
        "rule_files: [shop.yml]"
        + DOWN_TEN_MINUTES
        + AT.format(expr=FIRING, at="9m", samples="")
        + AT.format(expr=FIRING, at="14m", samples=ONE),
        "rule_files:\n- rules.yaml"
        + DOWN_TEN_MINUTES
        + AT.format(expr=FIRING, at="14m", samples=ONE)
        + AT.format(expr=FIRING, at="7m", samples=""),
    ],
    rejects={
        "rule_files: [rules.yml]" + DOWN_TEN_MINUTES + AT.format(expr=FIRING, at="15m", samples=ONE): (
            "Your test does not notice a rule that does not wait."
        ),
        "rule_files: [rules.yml]"
        + DOWN_TEN_MINUTES
        + AT.format(expr=FIRING, at="2m", samples="")
        + AT.format(
            expr=FIRING.replace("count", "group"), at="15m", samples=ONE.replace("1}", "2}")
        ): "Two alerts are expected where one fires.",
        "rule_files: [rules.yml]"
        + DOWN_TEN_MINUTES.replace("'0x30'", "'1x30'")
        + AT.format(expr=FIRING, at="8m", samples="")
        + AT.format(expr=FIRING, at="15m", samples=ONE): "Your test does not notice a rule that fires for other jobs.",
        "rule_files: [rules.yml]" + DOWN_TEN_MINUTES.replace("0x30", "1x30") + AT.format(expr=FIRING, at="8m", samples=""): (
            "Your test does not notice a rule that waits an hour."
        ),
    },
    hints=["Ask before the wait is over, and after."],
)

TREE = """
route:
  receiver: tickets
  routes: {routes}
receivers: [{{name: tickets}}, {{name: pager}}, {{name: mail}}]
"""
critical_pages = route(
    "m90.q9",
    reference=TREE.format(routes='[{matchers: [severity="page"], receiver: pager}]'),
    alerts=[
        alert({"severity": "page"}, "pager", "What pages must reach the pager, and nobody else."),
        alert({"severity": "info"}, "tickets", "What does not page becomes a ticket."),
        alert({}, "tickets", "An alert without severity becomes a ticket."),
    ],
    accepts=[
        TREE.format(routes="[{match: {severity: page}, receiver: pager}]"),
        TREE.format(routes='[{matchers: ["severity=~page"], receiver: pager, group_wait: 10s}]'),
    ],
    rejects={
        TREE.format(routes='[{matchers: [severity!="info"], receiver: pager}]'): "An alert without severity pages somebody.",
        TREE.format(routes='[{matchers: [severity="page"], receiver: mail}]'): "What pages reaches a mailbox.",
        TREE.format(routes="[{receiver: pager}]"): "Everything pages.",
        TREE.format(routes="[]"): "Nothing pages.",
    },
    hints=["A route with a matcher below the root."],
)

targets = target_list(
    "m90.q10",
    reference="- targets: [shop-1:8080, shop-2:8080]\n  labels: {team: shop}\n",
    accepts=[
        '[{"targets": ["shop-1:8080", "shop-2:8080"], "labels": {"team": "shop"}}]',
        "- targets: [shop-2:8080]\n  labels: {team: shop}\n- targets: [shop-1:8080]\n  labels: {team: shop}\n",
    ],
    rejects={
        "- targets: [shop-1:8080]\n  labels: {team: shop}\n": "The second target is missing.",
        "- targets: [shop-1:8080, shop-2:8080]\n": "The team is missing.",
        "- targets: [shop-1:8080, shop-2:8080]\n  labels: {team: ops}\n": "It is another team.",
        "- targets: [shop-1, shop-2]\n  labels: {team: shop}\n": "Without a port Prometheus would ask port 80.",
    },
    hints=["A list of entries with `targets` and `labels`."],
)

DISCOVERED = [
    {"__address__": "shop-1:8080", "__meta_zone": "a", "env": "prod"},
    {"__address__": "shop-2:8080", "__meta_zone": "b", "env": "test"},
    {"__address__": "shop-3:8080", "__meta_zone": "b", "env": "prod"},
]
zone = relabelling(
    "m90.q11",
    discovered=DISCOVERED,
    reference="- {source_labels: [__meta_zone], target_label: zone}\n- {source_labels: [env], regex: test, action: drop}\n",
    accepts=[
        "relabel_configs:\n- {source_labels: [env], regex: prod, action: keep}\n- {source_labels: [__meta_zone], target_label: zone}\n",
        "- {action: labelmap, regex: __meta_(zone)}\n- {source_labels: [env], regex: t.*, action: drop}\n",
    ],
    rejects={
        "- {source_labels: [__meta_zone], target_label: zone}\n": "The test instance is still there.",
        "- {source_labels: [env], regex: test, action: drop}\n": "The zone is not there.",
        "- {source_labels: [__meta_zone], target_label: zone}\n- {source_labels: [env], regex: test, action: keep}\n": "You kept what was to go.",
        "- {source_labels: [__meta_zone], target_label: zone}\n- {source_labels: [env], regex: t, action: drop}\n": (
            "The test instance is still there."
        ),
        "- {source_labels: [__meta_zone], target_label: area}\n- {source_labels: [env], regex: test, action: drop}\n": (
            "The label is to be called `zone`."
        ),
    },
    hints=["Labels in double underscores are gone after relabelling."],
)

error_lines = logql(
    "m90.q12",
    reference='sum by (service) (count_over_time({level="error"}[1h]))',
    at=every("5h", during=month) + every("5m", during=between("2026-06-15 09:00", "2026-06-15 10:30")),
    accepts=[
        'sum by (service) (count_over_time({service=~".+"} | json lvl="level" | lvl="error" [1h]))',
        'sum by (service) (rate({level="error"}[1h])) * 3600',
    ],
    rejects={
        'sum(count_over_time({level="error"}[1h]))': "One number for each service is wanted.",
        'sum by (service) (count_over_time({level="error"}[5m]))': "The window is an hour.",
        'sum by (service) (count_over_time({level=~".+"}[1h]))': "You count all lines.",
        'sum by (service, instance) (count_over_time({level="error"}[1h]))': "The instance is left.",
    },
    hints=["`count_over_time` counts lines."],
)

lines_of_the_outage = logql(
    "m90.q13",
    reference='{service="shop", level="error"}',
    at=between("2026-06-15 09:30", "2026-06-15 09:50"),
    accepts=['{service="shop"} |= `"level": "error"`', '{level="error", service=~"sh.*"}'],
    rejects={
        '{service="shop"}': "These are all lines of the shop.",
        '{service="shop", level="error", instance="shop-1:8080"}': "That is one instance.",
        '{service="shop"} |= "ERROR"': "Case counts in a filter.",
        '{service="shop", level="info"}': "You selected the harmless ones.",
    },
    hints=["A selector with two labels."],
)


def a_board(*panels, **variable):
    known = [{"name": "job", "type": "query", "query": "label_values(up, job)", "multi": True, "includeAll": True, **variable}]
    return {"title": "Sample", "schemaVersion": 41, "templating": {"list": known}, "panels": list(panels)}


def a_panel(
    expr, title="Errors", unit="percentunit", steps=((None, "green"), (0.05, "red")), description="What fails, as a share."
):
    shown = {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in steps]}
    defaults = {"unit": unit, "thresholds": shown}
    made = {"type": "timeseries", "title": title, "description": description, "targets": [{"refId": "A", "expr": expr}]}
    return {**made, "fieldConfig": {"defaults": defaults, "overrides": []}}


BAD = 'sum by (job) (rate(requests_total{job=~"$job",code="500"}[$__rate_interval]))'
WHOLE = 'sum by (job) (rate(requests_total{job=~"$job"}[$__rate_interval]))'
SHARE = f"{BAD} / {WHOLE}"
SLOW = 'histogram_quantile(0.9, sum by (job, le) (rate(seconds_bucket{job=~"$job"}[$__rate_interval])))'
SLOW_PANEL = a_panel(SLOW, "Slow", "s", ())

errors_and_slowness = dashboard(
    "m90.q14",
    reference=a_board(a_panel(SHARE), SLOW_PANEL),
    seen=[
        over("2026-06-15 08:00", "2026-06-15 12:00", job="shop"),
        over("2026-06-12 00:00", "2026-06-15 00:00", points=72, job=("shop", "backup")),
        over("2026-06-15 09:00", "2026-06-15 11:00", points=24, job="$__all"),
    ],
    findings=["no description", "missing by (le)", "averaged percentile", "empty"],
    asks=["thresholds", "description", "choices"],
    accepts=[
        {"dashboard": a_board(SLOW_PANEL, a_panel(f"100 * {SHARE}", "Failing", "percent", ((None, "#37872d"), (5, "dark-red"))))},
        a_board(a_panel(SHARE.replace("$__rate_interval", "5m")), SLOW_PANEL, allValue=".*"),
    ],
    rejects=[
        (a_board(a_panel(SHARE, unit="percent"), SLOW_PANEL), "The unit says percent, and the query gives a share."),
        (a_board(a_panel(f"{BAD} / ({WHOLE} - {BAD})"), SLOW_PANEL), "You divided by the good requests."),
        (a_board(a_panel(SHARE.replace("=~", "=")), SLOW_PANEL), "Two jobs were chosen, and the panel is empty."),
        (a_board(a_panel(SHARE, steps=((0.05, "red"),)), SLOW_PANEL), "Below the only step it is red as well."),
        (
            a_board(a_panel(SHARE), a_panel(SLOW.replace("job, le", "job"), "Slow", "s", ())),
            "The bounds of the buckets are gone.",
        ),
        (a_board(a_panel(SHARE)), "A panel is gone."),
        (a_board(a_panel(SHARE), SLOW_PANEL, includeAll=False), "All cannot be chosen."),
        (a_board(a_panel(SHARE), SLOW_PANEL, query="label_values(instance)"), "These are instances."),
    ],
    hints=["Choose two jobs, and look."],
)

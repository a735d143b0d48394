# %% [markdown]
# # Dashboards: tasks
# Twenty-one questions about panels and dashboards over June 2026. A query is judged by what it gives, a dashboard by what each of its
# panels shows in several stretches of June; how you write it, name it and arrange it is up to you.
#
# **You will do:** write queries of panels; choose types and units; repair seven dashboards; build one with variables that depend on
# each other; find out from dashboards what happened on the 22nd.
#
# **You need:** 90 minutes, about 100 MB of memory, and the lesson `03_dashboards` behind you. `hint("m03.q1")` tells a little more each
# time, `solution("m03.q1")` asks once before it tells.

# %% setup
from monlab import archive, check, dashboard, hint, solution, stack, workspace

# %%
stack.up("month")

# %% [markdown]
# ## What a panel asks
# The archive holds one sample a minute, so its `$__rate_interval` is four minutes or more. In the first four tasks, answer the query
# as Prometheus gets it, with variables filled in.

# %% [markdown] exercise: m03.q1
# **Task 1.** A panel shows requests a second (`http_requests_total`), one line a `job`. In its variable `job`, `gateway` and `payments`
# are chosen; `$__rate_interval` is four minutes. Write the query that arrives at Prometheus.

# %% solution
q1 = 'sum by (job) (rate(http_requests_total{job=~"gateway|payments"}[4m]))'

# %%
check("m03.q1", q1)

# %% [markdown] exercise: m03.q2
# **Task 2.** A panel of the business dashboard: the mean value of an order in euros, over 30 minutes. `shop_revenue_cents_total` counts
# money, `shop_orders_total` orders by `result`; `placed` are those that brought money. One number without labels, and nothing at all
# where nothing was ordered.

# %% solution
q2 = """
sum(increase(shop_revenue_cents_total[30m]))
  / (sum(increase(shop_orders_total{result="placed"}[30m])) > 0) / 100
"""

# %%
check("m03.q2", q2)

# %% [markdown] exercise: m03.q3
# **Task 3.** Another one: the share of payments that succeed, over an hour, for a panel with the unit `percentunit`. `payments_total`
# counts by `result`; an attempt is `authorized` or `declined`, and all other results are later steps.

# %% solution
q3 = """
sum(rate(payments_total{result="authorized"}[1h]))
  / sum(rate(payments_total{result=~"authorized|declined"}[1h]))
"""

# %%
check("m03.q3", q3)

# %% [markdown] exercise: m03.q4
# **Task 4.** How slow is each service? The 95th percentile of `http_request_duration_seconds`, over five minutes, one line a `job`.

# %% solution
q4 = "histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))"

# %%
check("m03.q4", q4)

# %% [markdown]
# ## What a panel looks like

# %% [markdown] exercise: m03.q5
# **Task 5.** “Were there two kinds of requests yesterday, fast ones and slow ones, and since when?” Which type of panel answers that:
# `timeseries`, `stat`, `gauge`, `bargauge`, `heatmap`, `table` or `logs`?

# %% solution
q5 = "heatmap"

# %%
check("m03.q5", q5)

# %% [markdown] exercise: m03.q6
# **Task 6.** The query is `sum(rate(node_network_receive_bytes_total[$__rate_interval]))`. Which unit does its panel get: `bytes`, `Bps`,
# `bps`, `MBs`, `short` or `percentunit`?

# %% solution
q6 = "Bps"

# %%
check("m03.q6", q6)

# %% [markdown] exercise: m03.q7
# **Task 7.** A data source is scraped every 60 seconds. A panel with 500 points shows 24 hours; Grafana rounds the step to 120 seconds. How
# long is `$__rate_interval`? Give the number its unit, as in `"90 s"`.

# %% solution
q7 = "4 min"

# %%
check("m03.q7", q7)

# %% [markdown] exercise: m03.q8
# **Task 8.** What was the mean value of an order on Saturday, 20 June, from midnight to midnight, in euros? Read it from the dashboard
# `business`, or ask as its panel does; three digits are enough.

# %% solution
cents = 'sum(increase(shop_revenue_cents_total[1d])) / sum(increase(shop_orders_total{result="placed"}[1d]))'
q8 = archive.value(cents, at=archive.at(21)) / 100

# %%
check("m03.q8", q8)

# %% [markdown] exercise: m03.q9
# **Task 9.** A dashboard about CPUs needs a variable that offers the instances with a CPU metric, and no others. Which query of the variable
# does that: `label_values(node_cpu_seconds_total, instance)`, `label_values(instance)`, `label_values(up, instance)`, `label_names()` or
# `node_cpu_seconds_total`?

# %% solution
q9 = "label_values(node_cpu_seconds_total, instance)"

# %%
check("m03.q9", q9)

# %% [markdown]
# ## Repair this dashboard
# Each of the next seven tasks has a file in `workspace/files/m03/`. Open it beside this notebook, mend it, save it, and hand in its name, such
# as `"files/m03/ex_average.json"`. The JSON as a text, or a dict, will do as well. All its panels must be there in the end. `dashboard.check`
# finds some of what is wrong, and `dashboard.show` shows the rest.

# %%
SPAN = {"start": "2026-06-15 08:00", "end": "2026-06-15 12:00"}
dashboard.show("files/m03/ex_average.json", **SPAN)

# %%
dashboard.check("files/m03/ex_average.json", **SPAN)

# %% [markdown] exercise: m03.q10
# **Task 10.** `ex_average.json`. One of its two panels tells how slow each service is, and what it tells is no percentile of anything. Mend it: one
# line a `job`, all routes and instances of the job together.

# %% solution
workspace.install("files/m03/ex_average.json", "files/m03/average.json")
workspace.replace(
    "files/m03/average.json",
    "avg by (job) (histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[$__rate_interval])))",
    "histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket[$__rate_interval])))",
)
q10 = "files/m03/average.json"

# %%
check("m03.q10", q10)

# %% [markdown] exercise: m03.q11
# **Task 11.** `ex_percentile.json`. Its panel is empty, and there is no error. It is to show what its description says, one line an `instance`,
# all routes of the API together.

# %% solution
workspace.install("files/m03/ex_percentile.json", "files/m03/percentile.json")
workspace.replace("files/m03/percentile.json", "sum by (instance) (", "sum by (instance, le) (")
q11 = "files/m03/percentile.json"

# %%
check("m03.q11", q11)

# %% [markdown] exercise: m03.q12
# **Task 12.** `ex_units.json`. Its three queries are right, and its readers are misled. Give each panel the unit of its numbers, and a
# description of three words or more.

# %% solution
workspace.install("files/m03/ex_units.json", "files/m03/units.json")
for title, wrong, unit, words in (
    ("Share of errors", "percent", "percentunit", "Share of answers that are 5xx. Above 1 %: see Service RED."),
    ("Memory", "short", "bytes", "Memory of each process. It is ended at 512 MiB."),
    ("Mean time of an answer", "ms", "s", "Mean time of all answers. It hides the slow ones."),
):
    described = f'"title": "{title}",\n      "description": "{words}",'
    workspace.replace("files/m03/units.json", f'"title": "{title}",', described)
    workspace.replace("files/m03/units.json", f'"unit": "{wrong}"', f'"unit": "{unit}"')
q12 = "files/m03/units.json"

# %%
check("m03.q12", q12)

# %% [markdown] exercise: m03.q13
# **Task 13.** `ex_counters.json`. Three panels, and each of them does to its metric what should not be done to it. “Stock” is one line a
# `sku`; both instances of inventory count the same shelf. “Orders in the range” and “Services up” are one number each. Read their
# descriptions.

# %% solution
workspace.install("files/m03/ex_counters.json", "files/m03/counters.json")
services = r'up{job=~\"frontend|gateway|payments|inventory\"}'
orders = r'shop_orders_total{result=\"placed\"}'
for old, new in (
    ("rate(inventory_stock[$__rate_interval])", "max by (sku) (inventory_stock)"),
    (f"sum({orders})", f"sum(increase({orders}[$__range]))"),
    ("count(up)", f"sum({services})"),
):
    workspace.replace("files/m03/counters.json", old, new)
q13 = "files/m03/counters.json"

# %%
check("m03.q13", q13)

# %% [markdown] exercise: m03.q14
# **Task 14.** `ex_window.json`. One panel is empty; the other one is right close up and wrong over three days. Let both follow the
# range on the screen, and the scrape interval.

# %% solution
workspace.install("files/m03/ex_window.json", "files/m03/window.json")
workspace.replace("files/m03/window.json", "[1m]", "[$__rate_interval]")
workspace.replace("files/m03/window.json", "[5m]", "[$__rate_interval]")
q14 = "files/m03/window.json"

# %%
check("m03.q14", q14)

# %% [markdown] exercise: m03.q15
# **Task 15.** `ex_system_overview.json`, the host dashboard of many a course. What it should be:
#
# - the variable `instance` offers the machines, of which one, several or All can be chosen, and every panel shows those chosen;
# - windows follow the range on the screen;
# - CPU: one line a machine, yellow from 70 %, red from 90 %, and green below; memory: one line a machine; root disk: one arc a machine;
# - network: what comes in, one line a network card (loopback is none), as a rate;
# - each unit says what the numbers are, and each panel has a description of three words or more.

# %% solution
workspace.install("files/m03/ex_system_overview.json", "files/m03/system.json")
chosen, base = r"instance=~\"$instance\"", '"steps": [\n{"value": null, "color": "green"},'
for old, new in (
    ('"multi": false', '"multi": true'),
    ('"includeAll": false', '"includeAll": true'),
    (r"instance=\"$instance\"", chosen),
    ('mode=\\"idle\\"}[5m]', 'mode=\\"idle\\"}[$__rate_interval]'),
    ('"steps": [\n                {\n                  "value": 70', base + '\n{"value": 70'),
    ("(1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) * 100",
     f"1 - node_memory_MemAvailable_bytes{{{chosen}}} / node_memory_MemTotal_bytes{{{chosen}}}"),
    (r"1 - node_filesystem_avail_bytes{mountpoint", f"1 - node_filesystem_avail_bytes{{{chosen}, mountpoint"),
    (r"/ node_filesystem_size_bytes{mountpoint", f"/ node_filesystem_size_bytes{{{chosen}, mountpoint"),
    ("rate(node_network_receive_bytes_total[5m]) / 1024 / 1024",
     f"rate(node_network_receive_bytes_total{{{chosen}, device!=\\\"lo\\\"}}[$__rate_interval])"),
    ('"unit": "bytes"', '"unit": "Bps"'),
    ('"title": "CPU in use",', '"title": "CPU in use", "description": "Share of all cores that is not idle.",'),
    ('"title": "Memory in use",', '"title": "Memory in use", "description": "Share of memory that programs cannot have.",'),
    ('"title": "Root disk in use",', '"title": "Root disk in use", "description": "Share of the root file system. Act at 85 %.",'),
    ('"title": "Network in",', '"title": "Network in", "description": "Bytes a second that come in, by card.",'),
):  # fmt: skip
    workspace.replace("files/m03/system.json", old, new)
q15 = "files/m03/system.json"

# %%
check("m03.q15", q15)

# %% [markdown] exercise: m03.q16
# **Task 16.** `ex_availability.json`. The gauge is to tell which share of the gateway's requests did not fail (5xx) in the range on the
# screen, all requests alike. Its arc goes from 0 to 100 %; from 99.9 % on it is green, and below that red, however bad it gets.

# %% solution
workspace.install("files/m03/ex_availability.json", "files/m03/availability.json")
requests = r'sum(increase(http_requests_total{job=\"gateway\"%s}[$__range]))'
old = r'by (route) (increase(http_requests_total{job=\"gateway\"%s}[$__range]))'
failing = r", code=~\"5..\""
for before, after in (
    (f"avg(1 - sum {old % failing} / sum {old % ''})", f"1 - {requests % failing} / {requests % ''}"),
    ('"min": 0.99,', '"min": 0,'),
    ('"value": 0.99,', '"value": null,'),
):
    workspace.replace("files/m03/availability.json", before, after)
q16 = "files/m03/availability.json"

# %%
check("m03.q16", q16)

# %% [markdown]
# ## A dashboard of your own

# %% [markdown] exercise: m03.q17
# **Task 17.** Build a dashboard with two variables. `job` offers the services that answer requests (`http_requests_total`); `instance` offers the
# instances of those services that are chosen in `job`, and no others. Of both, one, several or All can be chosen. Two panels, each with
# a unit and a description: requests a second, one line an `instance`; and the 95th percentile of their duration, one line for all that
# is chosen. A file, a text or a dict will do.

# %% solution
both = 'job=~"$job", instance=~"$instance"'
asked = {
    "Requests by instance": ("reqps", f"sum by (instance) (rate(http_requests_total{{{both}}}[$__rate_interval]))"),
    "Slow requests": (
        "s",
        f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{both}}}[$__rate_interval])))",
    ),
}
offered = {
    "job": "label_values(http_requests_total, job)",
    "instance": 'label_values(http_requests_total{job=~"$job"}, instance)',
}
q17 = {
    "title": "One service",
    "templating": {"list": [{"name": name, "type": "query", "query": query, "multi": True, "includeAll": True} for name, query in offered.items()]},
    "panels": [
        {"type": "timeseries", "title": title, "description": "Of what is chosen above.", "targets": [{"refId": "A", "expr": query}],
         "fieldConfig": {"defaults": {"unit": unit}}} for title, (unit, query) in asked.items()
    ],
}  # fmt: skip

# %%
check("m03.q17", q17)

# %% [markdown]
# Drawn by the lab, for one service:

# %%
if q17:
    dashboard.show(q17, **SPAN, job="payments")

# %% [markdown] exercise: m03.q18
# **Task 18.** A colleague puts this file where Grafana looks for dashboards: `{"dashboard": {"uid": "shop", "title": "Shop", "schemaVersion": 41,
# "panels": []}, "overwrite": true}`. Grafana's log says *Dashboard title cannot be empty*. What is wrong: `no title in the file`, `the API's
# wrapper`, `a wrong data source`, `an old schemaVersion` or `the folder does not exist`?

# %% solution
q18 = "the API's wrapper"

# %%
check("m03.q18", q18)

# %% [markdown]
# ## What happened on the 22nd?
# On Monday, 22 June, customers complained that the shop was slow. Nothing failed. Here are the dashboards of that day; take other ranges
# and choose services (`job="payments"`) as you like.

# %%
dashboard.show("service-red", start="2026-06-22 10:00", end="2026-06-22 17:00")

# %% [markdown] exercise: m03.q19
# **Task 19.** Which service was the cause: `frontend`, `gateway`, `payments` or `inventory`?

# %% solution
q19 = "inventory"

# %%
check("m03.q19", q19)

# %% [markdown] exercise: m03.q20
# **Task 20.** When did it begin? Hand in the time of day as hours and minutes since midnight (UTC), such as `"8 h 30 min"`; three minutes more or
# less do not matter.

# %% solution
q20 = "13 h"

# %%
check("m03.q20", q20)

# %% [markdown] exercise: m03.q21
# **Task 21.** And why: `the roll-out of the frontend`, `too few database connections`, `too many customers`, `the cache is away`, `a full disk` or `a
# lost network`? `archive.plot` shows any metric of that day; those of inventory begin with `inventory_`.

# %% solution
q21 = "too few database connections"

# %%
check("m03.q21", q21)

# %% [markdown]
# ## Done
# `./lab export` writes your answers into a file that can be handed in; nothing leaves this machine by itself.

# %%
stack.down("month")

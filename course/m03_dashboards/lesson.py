# %% [markdown] covers: M3-O1
# # Dashboards: from a number to a decision
# At three in the morning somebody opens your dashboard with one question. You are paid so that the picture answers it, and does
# not lie.
#
# **You will do:** read a dashboard's JSON, draw every type of panel, build a host dashboard and mend it. Compare good and bad
# twins of a panel, and find the cause of one incident twice: on a bad dashboard and on a good one.
#
# **You will learn:** which panel answers which question, what variables and `$__rate_interval` do, how a Grafana is provisioned
# from files, and where its own alerts belong.
#
# **You need:** 120 minutes, about 950 MB of memory for the servers and the archived month (Grafana's own comes on top), and what
# module 2 says about `rate` and quantiles.

# %% setup
from monlab import archive, dashboard, guess, prom, shop, stack, wait_until, workspace

def panel(title, query, unit="short", kind="timeseries", description="", legend="", **defaults):
    """A panel as Grafana's JSON has it: `defaults` are min, max, thresholds, …"""
    instant = kind in ("stat", "gauge", "bargauge", "table")
    target = {"refId": "A", "expr": query, "legendFormat": legend, "instant": instant}
    config = {"defaults": {"unit": unit, **defaults}, "overrides": []}
    return {"type": kind, "title": title, "description": description, "targets": [target], "fieldConfig": config}

def board(title, *panels, across=2, variables=()):
    """A dashboard of these panels, so many beside each other."""
    wide = 24 // across
    place = lambda number: {"x": number % across * wide, "y": number // across * 7, "w": wide, "h": 7}
    numbered = [{"id": number + 1, "gridPos": place(number), **one} for number, one in enumerate(panels)]
    return {"title": title, "schemaVersion": 41, "panels": numbered, "templating": {"list": list(variables)}}

# %%
print(shop.load.stop() if stack.has("frontend") else "No load yet.")
stack.up("m03", "shop-core", "month", "month-logs", "month-traces")

# %% [markdown] covers: M3-T1 M3-S1 M3-C1 M3-A1
# ## Where do the numbers of a dashboard live?
# Not in the dashboard. Grafana is a server between people and **data sources** (Prometheus, Loki, Jaeger, SQL databases): it
# asks them, and the browser draws the answer. Its own small database (here in the volume `grafana-data`) holds dashboards,
# alert rules, users, **teams** and their rights. An *organization* is a wall around a set of those.
#
# `./lab password grafana` shows the password made at the first start. `admin` as a password is what everyone tries who finds
# the port.

# %% covers: M3-A4
print(shop.load("steady", rate=15, seconds=300))     # customers, while you read
if stack.has("grafana"):
    print("Log in at", stack.url("grafana"), "as admin; the folder Shop holds these dashboards:")
else:
    print("No Grafana here. What it would show, the cells below draw. The course's dashboards:")
dashboard.names()

# %% [markdown]
# The notebook draws the **same JSON files** itself: `dashboard.show` fills the variables, sends each panel's queries, and draws
# the answers in the dashboard's own grid. `dashboard.check` says what is wrong with them. Neither can hover, zoom or click.
#
# Before you look: when a panel says "No data", who was asked, and what came back?

# %%
guess("m03.g1", ...)     # "nobody", "an error" or "an empty answer"

# %%
nothing = board("A quiet mistake", panel("Requests", "rate(http_request_total[1m])", kind="stat"))
print(guess("m03.g1").beside("an empty answer"))
dashboard.results(nothing, last="5m")

# %% [markdown]
# One letter is missing in the metric's name (`http_requests_total`), and Prometheus answered: success, nothing found. **Trap:**
# empty looks the same as healthy on a panel of errors. `dashboard.check` names it; a person does not see it.

# %% [markdown] covers: M3-B1
# ## What is a dashboard, as a file?
# JSON with a `title`, a `uid`, `panels` and `templating` (variables). Every panel says where it stands in a grid of 24 columns,
# what it asks, and how the answer is to be read. Look for four things: the data source by `uid`, the `unit`, the thresholds,
# the description.

# %% covers: M3-C5 M3-Q12
workspace.show("files/m03/cpu.json")
dashboard.show("files/m03/cpu.json", start="2026-06-22 08:00", end="2026-06-22 20:00")
bare = {"title": "System overview", "schemaVersion": 41, "panels": []}
print(dashboard.check({"dashboard": bare}).sentence[0])     # the way many tutorials print a file

# %% [markdown]
# The colour of the first threshold step holds for everything below the second; `null` says so plainly. So 70 (yellow) and 90
# (red) alone make all that is calm yellow. What lies below `min` is not seen.
#
# The envelope belongs to the HTTP API: `POST /api/dashboards/db` takes it, `GET /api/dashboards/uid/…` returns it (take
# `.dashboard`). A clicked dashboard becomes a file by *Export → Export as code*, model *Classic*.
#
# > **Then and now.** Grafana 12 brought **schema v2** (`kind`, `spec`, `elements`, `layout`). 13 makes it the default and
# > prefers `/apis/` to `/api/`; it still reads and exports the classic shape.

# %% [markdown] covers: M3-A2 M3-A3
# ## How does Grafana get them?
# By **provisioning**. The YAML in `provisioning/datasources`, `dashboards` and `alerting` is read at the start. A change there
# needs a restart (or `POST /api/admin/provisioning/datasources/reload`). The dashboards' JSON is read again every
# `updateIntervalSeconds`. Nobody clicks, and a new Grafana is the same as the old one. Which line sends a person who changed a
# dashboard in the browser back to Git?

# %%
workspace.show("grafana/datasources/prometheus.yml")
workspace.show("grafana/provisioning/dashboards/lab.yml")

# %% [markdown] covers: M3-C2 F4-C1
# `allowUiUpdates: false`, and `editable: false` for the source. Panels, links and rules name a source by its
# `uid: prometheus`. Without one, Grafana invents it and links lead nowhere. Its API, too, takes no numbers since Grafana 13, but
# `/api/datasources/uid/prometheus`. `exemplarTraceIdDestinations` leads from a point to its trace, Loki's `derivedFields` from a
# log line.
#
# **Trap:** `$` in these files begins an environment variable. A link wants `$${__value.raw}`, with two.

# %% [markdown] covers: M3-T2
# ## Which panel answers which question?
# Nine types carry nearly every dashboard: time series, stat, gauge, bar gauge, table, heatmap, logs, pie, node graph. The
# titles below are the questions. All of it is the 17th of June, when a bad version of payments was out for a while. Stat, bar
# gauge and logs are asked for failures of payments, the time series for requests of each service. Which of these four hides
# the outage?

# %%
guess("m03.g2", ...)     # "stat", "time series", "bar gauge" or "logs"

# %%
dashboard.show("files/m03/gallery.json", start="2026-06-17 13:00", end="2026-06-17 16:00")
print(guess("m03.g2").beside("time series"))

# %% [markdown]
# The time series is blameless: it was asked for traffic, and traffic went on. The stat is one number for the whole range, the
# table says which route, the logs name the version. The dotted lines are **annotations**: roll-outs.
#
# - *Gauge* and *bar gauge* want a limit: without `min` and `max` the scale is invented.
# - *Heatmap*: the spread that a mean hides. *Pie*: a few parts of one whole.
#
# > **Then and now.** `graph`, `singlestat`, the old pie and world map needed Angular, which Grafana 12 removed. It loads them as
# > time series, stat, pie chart and Geomap.

# %% [markdown] covers: M3-T3 M3-T5
# ## How does one dashboard serve forty services?
# By **variables**. `query` takes its values from the data source: `label_values(up, job)`. `custom` is a list, `interval` a
# list of windows, `data source` a choice of servers, `text` what you type, `constant` a value nobody sees. A variable may use
# another (the mountpoints *of the chosen machine*): such variables are chained. A panel or row can **repeat**, once for each
# chosen value.

# %%
chosen = dict(job=["payments", "gateway"], instance="db-1:9100", quantile="0.99", window="30m")
june_17 = dict(start="2026-06-17 13:00", end="2026-06-17 16:00")
dashboard.show("files/m03/variables.json", **june_17, **chosen)
dashboard.results("files/m03/variables.json", **june_17, **chosen)[["query", "found"]]

# %% [markdown]
# Two values become `(payments|gateway)`, a regular expression. So what does `job="$job"`, with a plain equals sign, find when
# two are chosen?

# %%
guess("m03.g3", ...)     # number of series

# %%
job = {"name": "job", "type": "custom", "query": "payments, gateway", "multi": True}
choosing = lambda sign: board("t", panel("p", f'up{{job{sign}"$job"}}', kind="stat"), variables=[job])
found = [dashboard.results(choosing(sign), **june_17, job=["payments", "gateway"]) for sign in ("=", "=~")]
print(guess("m03.g3").beside(int(found[0].found[0]), "series with ="))
print(int(found[1].found[0]), "series with =~, from", found[1]["query"][0])

# %% [markdown] covers: M3-T4
# **Trap:** it works in every test with one value, and is empty on the day somebody chooses *All*. Always `=~"$job"`.
#
# ## How long is `$__rate_interval`?
# Grafana asks for about one point a pixel: `$__interval` is the range divided by the width, at least the scrape interval.
# `rate` needs two samples, so `$__rate_interval` is `$__interval` plus one scrape, and never less than four. `$__range` is all
# that is on the screen, `$__from` and `$__to` its ends in milliseconds. (`$timeFilter` is InfluxDB's.) The dashboard's
# `timezone` decides how times are written: agree on UTC.

# %% frozen
scrape, pixels = 15, 600
for name, seconds in {"30 minutes": 1800, "a day": 86_400, "30 days": 2_592_000}.items():
    interval = max(scrape, seconds / pixels)
    print(f"{name}: a point every {interval:,.0f} s, $__rate_interval {max(interval + scrape, 4 * scrape):,.0f} s")

# %% [markdown]
# (Grafana rounds the first of the two to a pleasant number.) The scrape interval stands in the data source: `timeInterval`. If
# it says 15 s and you scrape every 60 s, every `rate` on every dashboard is empty at a short range.
#
# That bad version was out for less than an hour. Over the whole month, with one point an hour: will `rate(…[5m])` show it?

# %%
guess("m03.g4", ...)     # "yes" or "no"

# %%
june = dict(start="2026-06-01", end="2026-07-01")
failed = lambda window: f'sum(rate(http_requests_total{{job="payments", code="500"}}[{window}]))'
memory = 'process_resident_memory_bytes{job="gateway"}'
windows = board("The whole month",
    panel("Bad: a fixed window", failed("5m"), "reqps"),
    panel("Good: the window follows the zoom", failed("$__rate_interval"), "reqps"),
    panel("Bad: rate of a gauge", f"rate({memory}[$__rate_interval])", "Bps"), panel("Good: the gauge", memory, "bytes", min=0))
dashboard.show(windows, **june)
print(guess("m03.g4").beside("no"))

# %% [markdown]
# The upper left looks at five minutes of each hour and is blind for the rest: what it shows is chance. The lower pair: `rate`
# takes every fall of a gauge for a restart, and writes a speed on the axis that no memory ever had.

# %% [markdown] covers: M3-A5
# ## A host dashboard, built in steps
# Five panels: CPU, memory, disk, network, and the busiest processes. First the way it is usually written, on the 22nd of June.
# Read the queries; the answer to every mistake is in this lesson or the last one. How many findings will the check have, beside
# missing descriptions?

# %%
guess("m03.g5", ...)

# %%
draft = board("System Monitoring",
    panel("CPU", '100 - avg(irate(node_cpu_seconds_total{mode="idle"}[5m])) * 100', "percentunit"),
    panel("Memory", "node_memory_MemFree_bytes / 1024 / 1024", "MBs"),
    panel("Disk", "node_filesystem_avail_bytes / node_filesystem_size_bytes", "percent", "gauge"),
    panel("Network", "rate(node_network_receive_bytes_total[5m]) / 1024 / 1024", "MBs"),
    panel("Processes", "topk(5, irate(process_cpu_seconds_total[5m]))", "short", "table"), across=3)
june_22 = dict(start="2026-06-22 08:00", end="2026-06-22 20:00")
dashboard.show(draft, **june_22)
findings = dashboard.check(draft, **june_22).query("finding != 'no description'")
print(guess("m03.g5").beside(len(findings), "findings"))
busy = '1 - avg{}(rate(node_cpu_seconds_total{{mode="idle"}}[5m]))'
each = archive.query(busy.format(" by (instance) "), "2026-06-22 14:00")
print("At 14:00:", ", ".join(f"{one.instance} {one.value:.0%}" for one in each.itertuples()))
print(f"avg over both: {archive.value(busy.format(' '), '2026-06-22 14:00'):.0%}")
findings

# %% [markdown]
# The check sees wrong units and a fixed window. It does not see that memory is no *rate* (`MBs` is megabytes a second): the
# division hides the unit. `avg` hides one machine that burns, `irate` forgets all but two samples, `MemFree` is small on every
# healthy machine. Without a filter, loopback and bridges count.
#
# Step by step, then. A share runs from 0 to 1, and `percentunit` writes it as percent. Bytes a second stay bytes, as `Bps`. So
# query, threshold and alert speak of one number.

# %% covers: M3-Q6 M3-Q7 M3-Q8 M3-Q9
levels = [(None, "green"), (0.7, "yellow"), (0.9, "red")]
steps = [{"value": value, "color": color} for value, color in levels]
limits = dict(thresholds={"mode": "absolute", "steps": steps}, custom={"thresholdsStyle": {"mode": "line"}})     # else invisible
machine = "{{instance}}"    # a legend names what differs
share = dict(unit="percentunit", min=0, max=1, legend=machine, **limits)
idle = 'rate(node_cpu_seconds_total{instance=~"$instance", mode="idle"}[$__rate_interval])'
cpu = panel("CPU in use", f"1 - avg by (instance) ({idle})", **share,
    description="Share of all cores that is not idle. Red for ten minutes: log in there and look with top.")
available = 'node_memory_MemAvailable_bytes{instance=~"$instance"} / node_memory_MemTotal_bytes{instance=~"$instance"}'
used = panel("Memory in use", f"1 - {available}", **share,
    description="Share that programs cannot have any more. Red: the kernel will soon end one of them.")
files = '{instance=~"$instance", fstype!~"tmpfs|overlay|squashfs|ramfs"}'
fullness = f"1 - max by (instance, device) (node_filesystem_avail_bytes{files} / node_filesystem_size_bytes{files})"
disk = panel("Disk in use", fullness, kind="gauge", **{**share, "legend": machine + " {{device}}"},
    description="Share of each disk. Yellow: plan. Red: act today.")
cards = 'instance=~"$instance", device!~"lo|veth.*|br-.*|docker.*"'
traffic = lambda way: f"sum by (instance) (rate(node_network_{way}_bytes_total{{{cards}}}[$__rate_interval]))"
network = [panel(f"Network, {way}", traffic(way), "Bps", min=0, legend=machine,
    description="Bytes a second through real cards. Zero for long: is the cable in?") for way in ("receive", "transmit")]

# %% [markdown]
# And the busiest processes? node_exporter knows none: every process that ever ran would be a series.
# `process_cpu_seconds_total` is what a program says **of itself**, so the usual "top 5" lists monitored servers and never the
# runaway script. It is honest under its own name. For all processes use process_exporter, cAdvisor for containers, or
# `host_report.sh` from module 1.

# %% covers: M3-Q10 M3-C4
own = "topk(5, sum by (job) (rate(process_cpu_seconds_total[$__rate_interval])))"
busiest = panel("Servers with metrics of their own, by CPU", own, "percentunit", "table",
    description="Cores used by each job. What exposes no metrics is not in this list.")
host = board("Host", cpu, used, disk, *network, busiest, across=3)
dashboard.check(host, **june_22)[["panel", "finding"]]

# %% [markdown]
# *Empty*: the queries name `$instance`, the dashboard has no such variable, and no machine is called `$instance`. That is the
# last step. (What a query cannot say, a panel can: **transformations** join and rename columns of a table, **overrides** give
# one series its own unit or colour.)

# %% covers: M3-A6 M3-Q11
instance = {"name": "instance", "label": "Machine", "type": "query", "query": "label_values(node_cpu_seconds_total, instance)",
    "multi": True, "includeAll": True, "refresh": 2, "current": {"value": ["$__all"]}}
host = board("Host", cpu, used, disk, *network, busiest, across=3, variables=[instance])
print("findings:", len(dashboard.check(host, **june_22)))
dashboard.show(host, **june_22)

# %% [markdown]
# ## Which of the two is lying?
# Twins: the same data, asked or drawn in two ways. On the evening of the 8th payments were slow. How long did the slowest
# twentieth of customers wait at ten past six, in seconds, at least? Guess, then read it from each twin.

# %%
guess("m03.g6", ...)

# %%
buckets = 'rate(http_request_duration_seconds_bucket{job="frontend"}[5m])'     # one window for pictures and numbers
scale = dict(min=0, max=8)
quantiles = board("8 June, over 5m",
    panel("Bad: average of percentiles", f"avg(histogram_quantile(0.95, sum by (route, le) ({buckets})))", "s", **scale),
    panel("Good: percentile of all", f"histogram_quantile(0.95, sum by (le) ({buckets}))", "s", **scale),
    panel("Bad: without by (le)", f"histogram_quantile(0.95, sum({buckets}))", "s", **scale),
    panel("Good: one line a route", f"histogram_quantile(0.95, sum by (route, le) ({buckets}))", "s", **scale))
dashboard.show(quantiles, start="2026-06-08 17:30", end="2026-06-08 19:00")
bad, good, _, routes = [one["targets"][0]["expr"] for one in quantiles["panels"]]
print(guess("m03.g6").beside(round(archive.value(good, "2026-06-08 18:10"), 1), "seconds"))
print(f"average of the routes: {archive.value(bad, '2026-06-08 18:10'):.1f} s")
archive.query(routes, "2026-06-08 18:10")

# %% [markdown]
# The average is nobody's waiting time: a route that few use counts as much as the busy ones. The percentile of all is true, and
# still a mixture. The table tells the story: pages are quick, and the slowest twentieth of orders wait longest.
#
# The next twins are right in their numbers and wrong to the eye. Which one of the three bad ones can a check find?

# %%
guess("m03.g7", ...)     # "unit", "axis" or "series"

# %%
ram = "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes"
requests = "rate(http_requests_total[$__rate_interval])"
looks = board("22 June, before noon",
    panel("Bad: unit", ram, "percent"), panel("Bad: axis", ram, "percentunit"),
    panel("Good: percentunit, from 0 to 1", ram, "percentunit", min=0, max=1),
    panel("Bad: series", requests, "reqps"), panel("Good: a line a service", f"sum by (job) ({requests})", "reqps", min=0), across=3)
morning = dict(start="2026-06-22 08:00", end="2026-06-22 12:00")
dashboard.show(looks, **morning)
found = dashboard.check(looks, **morning)
print(sorted(set(found[found.finding != "no description"].panel)), "is found by the check")
print(guess("m03.g7").beside("unit"))

# %% [markdown]
# A share written as percent has lost two zeros, and nobody asks. An axis that fits itself to the data turns noise into drama.
# Dozens of lines are a texture, not an answer.

# %% [markdown] covers: M3-T7
# ## What does a tired person need?
# One page that says whether customers are hurt, then one click to the next question. From the top: users, then services, then
# machines; here `shop-overview`, `service-red`, `host-use`. The eight habits:
#
# - rows that group, related things side by side, one name for one thing everywhere;
# - a description on every panel (what it shows, and what to do), units, thresholds with a meaning;
# - variables, and links: to the runbook, and to the next dashboard with the chosen values.

# %% covers: F4-C3
scrapes = 'min(count_over_time(up{job=~"frontend|gateway|payments|inventory"}[1m]))'
wait_until(lambda: prom.value(scrapes) >= 5, seconds=60, what="the shop was scraped five times")
dashboard.show("shop-overview", last="2m")

# %% [markdown]
# Some panels are odd on purpose. *Payments that succeed* may be red: more of these customers have a card that is declined than
# on a usual day. *Services up* filters by job: exporters are no services. *Orders placed* is `increase` over `$__range`: the raw
# counter falls to zero with each restart. *Who calls whom* has nobody to ask, since no tracing runs in this module. A panel that
# can be empty says why in its description.
#
# Now money: the 15th as the business saw it. When did the shop stop selling?

# %% covers: F4-C5
dashboard.show("business", start="2026-06-15", end="2026-06-16")
sold = archive.query_range('sum(increase(shop_orders_total{result="placed"}[5m]))', "2026-06-15 08:00", "2026-06-15 20:00", "1m")
none = sold[sold.value == 0].index
print(f"No order in the five minutes before, from {none[0]:%H:%M} until {none[-1]:%H:%M}.")

# %% [markdown]
# *Mean order* is guarded: revenue by orders `> 0`, so a quiet night is empty and not 0/0. *Amounts* is a heatmap of the
# buckets: a histogram has no series of its own name. Next the promise: the budget of failures over June (module 8 is about
# it). *Which day* took it? A five-minute rate "by day" is still a five-minute rate. Ask for the increase of a whole day, as
# bars:

# %% covers: F4-Q13 F4-C4
dashboard.show("slo", **june)
edge = 'http_requests_total{job="frontend", route!="unmatched"'
allowed = f"scalar(sum(increase({edge}}}[30d] @ end()))) * 0.01"
lost = f'sum(increase({edge}, code=~"5.."}}[1d] offset -1d))'
spent = panel("Share of June's budget, by day", f"{lost} / ({allowed})", "percentunit", min=0,
    custom={"drawStyle": "bars", "fillOpacity": 80}, displayName="spent", description="What each day took of it.")
dashboard.show(board("Which day?", {**spent, "interval": "1d"}, across=1), **june)

# %% [markdown]
# ## The detective
# Something went wrong on the 22nd of June. Three questions: **which service** is at fault (`"frontend"`, `"gateway"`,
# `"payments"` or `"inventory"`), **since when** (such as `"09:15"`), and **why**: `"traffic"`, `"deploy"`, `"network"` or
# `"database"`? First a dashboard that grew over the years. The clock runs as soon as it is drawn.

# %%
case = dict(start="2026-06-22 11:00", end="2026-06-22 16:00")
dashboard.show("files/m03/wall.json", **case)
wall_begun = prom.value("time()")

# %%
first = [guess("m03.d1", ...), guess("m03.d2", ...), guess("m03.d3", ...)]     # service, since when, why
first_seconds = prom.value("time()") - wall_begun
print(f"{first_seconds:.0f} s after the picture")

# %% [markdown]
# Put your answers in place of the dots and run the cell again; the clock stops there. Then the second dashboard, four panels,
# read in the order of their numbers. The second try at one incident is quicker anyway, so the seconds prove little: watch how
# you look.

# %%
dashboard.show("files/m03/guide.json", **case)
guide_begun = prom.value("time()")

# %%
second = [guess("m03.d4", ...), guess("m03.d5", ...), guess("m03.d6", ...)]     # service, since when, why
second_seconds = prom.value("time()") - guide_begun
print(f"{second_seconds:.0f} s after the picture")

# %%
waiting = archive.query_range("sum(inventory_db_waiting_requests) > 0", "2026-06-22 08:00", "2026-06-22 20:00", "1m").dropna()
truth = ["inventory", f"{waiting.index[0]:%H:%M}", "database"]
for name, answers, seconds in [("the wall", first, first_seconds), ("the guide", second, second_seconds)]:
    print(f"{name}, {seconds:.0f} s:", *[one.beside(right) for one, right in zip(answers, truth)], sep="\n   ")
print(f"requests waited for a connection until {waiting.index[-1]:%H:%M}")

# %% [markdown]
# Requests of inventory waited for a connection of the database's pool, and everyone above waited for inventory. The panels show
# the waiting, the full pool and the blocks read. That a report kept the database busy is told by the month's script. The
# roll-out of frontend, before it, is innocent. The wall *had* the panel: lower right, in a small box.
#
# The second one goes from the customer to the cause and compares with yesterday. How many of the wall's faults does the check
# see?

# %%
faults = dashboard.check("files/m03/wall.json", **case)
faults.groupby("finding").size()

# %% [markdown] covers: M3-B2 M3-T6 M3-C6
# What it cannot see: titles that say nothing, panels without an order from the customer down, an average over machines, legends
# that nobody can read.
#
# ## Who calls you: Grafana or Prometheus?
# Both can. A **Grafana-managed** rule is evaluated by Grafana: a query (A), an expression on it (B, the threshold), a `for`. A
# **notification policy** routes it by labels to a **contact point**: email, Slack, PagerDuty, a webhook, Telegram, Discord,
# Teams (by Workflows; its Office 365 connectors are gone). OpsGenie ends in 2027. Email sends nothing until `GF_SMTP_*` names a
# mail server.

# %%
workspace.show("grafana/provisioning/alerting/lab.yml")

# %% [markdown]
# A popular form of the first rule filters in the query *and* in the condition: less than 20 % idle. How many series does that
# query give while all is well, say on the 22nd of June at 10:00?

# %%
guess("m03.g8", ...)

# %% covers: M3-Q13
filtered = archive.query('avg(irate(node_cpu_seconds_total{mode="idle"}[5m])) * 100 < 20', "2026-06-22 10:00")
print(guess("m03.g8").beside(len(filtered), "series"))
prom.query('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m]))')

# %% [markdown]
# None: the healthy state is *no data*, and Grafana alerts on that too (`noDataState`). And `avg` without `by` is one number for
# the whole fleet. The table is the file's own query on the live machine: measure in A, limit in B, one number a machine.
#
# **Trap:** `NoData` comes only when the *whole* answer is empty. When one machine of several vanishes, its series is missing
# (`MissingSeries`), and its alert resolves after two evaluations. So the file watches `up` for 0 as well.

# %% [markdown]
# | take | when |
# |---|---|
# | Prometheus rules and Alertmanager | the data is in Prometheus; rules in Git, tested by `promtool`; Grafana may be down |
# | Grafana-managed | Loki, SQL and Prometheus in one rule; people who have no access to the rule files |
#
# Both at once, for the same thing, are two pages at night and two places to silence.
#
# > **Then and now.** Rules stored in the panel, and "notification channels", are gone since Grafana 11. The panel's *Alert* tab
# > is still there: it lists and makes rules of today's kind.

# %% [markdown] covers: M3-S2 M3-B3 M3-P1
# ## And plugins?
# Most of what old lists recommend is built in (pie chart, Geomap, state timeline). The rest is named in `GF_PLUGINS_PREINSTALL`,
# each with `@` and a version. `GF_INSTALL_PLUGINS` and the separate `grafana-cli` are deprecated: today it is
# `grafana cli plugins ls`. No command of it ever exported a dashboard; `GET /api/dashboards/uid/…` does. The page is
# *Administration → Plugins and data → Plugins*. The lab's Grafana downloads none, so nothing of this was run here.

# %% [markdown]
# ## What to take away
# - A dashboard is a list of questions. Every panel needs one, a unit, and a sentence that says what to do.
# - Empty is an answer: look for the panel that cannot be red.
# - `=~"$variable"`, `$__rate_interval`, `by (le)`: three habits that most dashboards lack.
# - Files, not clicks: bare JSON with a `uid`, data sources with a `uid`, no changes in the browser.
# - From the customer to the cause, and deploys on every time axis.
#
# ## On your own
# - Mend `files/m03/wall.json` until `dashboard.check` is silent. Then give it to a colleague, with the clock.
# - Build the page you would want at three in the morning for one service of yours: six panels at most.
# - Show `service-red` over the 8th and over the 17th. Which panel tells the two apart?
#
# ## In practice
# - Keep dashboards as code, reviewed, with a check in CI that runs every query.
# - Delete what nobody opened for half a year.
# - One data source variable, so that the same file serves test and production.
#
# ## Further reading
# - [Provisioning](https://grafana.com/docs/grafana/latest/administration/provisioning/),
#   [variables](https://grafana.com/docs/grafana/latest/visualizations/dashboards/variables/) and
#   [`$__rate_interval`](https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/) in Grafana's
#   documentation
# - [Dashboard best practices](https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/best-practices/)
# - [The RED method](https://grafana.com/blog/2018/08/02/the-red-method-how-to-instrument-your-services/) and
#   [USE](https://www.brendangregg.com/usemethod.html)

# %%
print(shop.load.stop())
stack.down("m03", "shop-core", "month", "month-logs", "month-traces")

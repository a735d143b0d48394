# %% [markdown] covers: M2-O1
# # Prometheus: collect, ask, trust
# On call you must answer: is it broken, since when, how badly? Prometheus holds the numbers for that.
#
# **You will do:** start a Prometheus, ask it about this machine, write rules that record and alert, break its configuration,
# flood it with labels and clean up.
#
# **You will learn:** to read PromQL as arithmetic on sets of labelled numbers, to know which wrong answers come without an
# error, and to tell what a metric costs.
#
# **You need:** 150 minutes, about 500 MB of memory for the servers (160 MB before the shop opens), and nothing else. Change any cell and run it
# again; your files are copies in `workspace/`.

# %% setup
from monlab import alerts, guess, page, prom, promtool, pushgateway, shop, stack, wait_until, workspace

# %%
lesson_files = [f"rules/{name}.yml" for name in ("broken", "recording", "alerts")]
lesson_files += ["scrape/probe.yml", "scrape/cadvisor.yml", "targets/lesson.yml"]
for name in lesson_files:
    workspace.remove(f"prometheus/{name}")      # in case an earlier visit ended half way
stack.up("m02")

# %% [markdown]
# Where an instructor runs the servers for you, some cells end with a sentence: those that begin with `stack.own(…)`, and those that
# write a server's file or reload it.

# %% [markdown] covers: M2-T1 M2-A5
# ## How do the numbers get here?
# The servers in the table run now. One of them is Prometheus. It **pulls**: every few seconds it fetches a text page from each
# target over HTTP (a **scrape**). It stamps the numbers with its own clock and keeps them in its time series database, the TSDB.
# Nothing is sent to Prometheus here (receiving OTLP and remote write is off by default), so a dead target shows as a failed pull.
# Alerts go out to Alertmanager.
#
# The addresses open in a browser. *Without its web page* means: built from source, and the Prometheus UI is not in it. The cells below
# call the same API.
#
# Before you look: how many targets does Prometheus have with the lab's own configuration?

# %%
guess("m02.g1", ...)

# %% covers: M2-A4
wait_until(lambda: prom.value("count(last_over_time(up[10s]) == 1)") >= 5, seconds=20)
print(guess("m02.g1").beside(len(prom.targets()), "targets"))
prom.targets()[["job", "instance", "health", "scrape_seconds"]]

# %% [markdown] covers: M2-S3
# Prometheus scrapes itself as well. `job` says which part of the configuration a target comes from, `instance` which
# address. Those two labels are on every series scraped here. `up` comes from Prometheus itself: 1 when the last pull worked, 0 when
# not.
#
# One usual guest comes only where there are containers: cAdvisor reports the CPU and memory of each. As processes, without
# Docker, there is nothing for it to measure; the servers report their own `process_*` metrics either way.

# %%
if stack.has("cadvisor"):
    workspace.install("files/m02/cadvisor.yml", "prometheus/scrape/cadvisor.yml")
    print(stack.reload("prometheus"))
    used = 'container_memory_working_set_bytes{name!=""}'
    wait_until(lambda: prom.query(f"last_over_time({used}[10s])"), seconds=30, what="cAdvisor has measured")
    print(prom.query(f"{used} / 2^20")[["name", "value"]].round())
else:
    print("This stack has no cAdvisor. The servers' own figures, in MiB:")
    print(prom.query("process_resident_memory_bytes / 2^20")[["job", "value"]].round())

# %% [markdown]
# cAdvisor reads the kernel's control groups and asks Docker for names, so it needs deep access to the machine. Give it the few mounts
# it needs and no `privileged`, and do not publish its port beyond loopback: the file `stack/compose.yaml` shows how.
#
# **Trap:** `up == 1` says the page came back. It does not say that the service works for its users.

# %% [markdown] covers: M2-T2 M2-C1 M2-C5 M2-A2
# ## What does the configuration say?
# `global` holds `scrape_interval`. Each entry of `scrape_configs` has a `job_name` and a way to find targets. `rule_files`
# names files with rules. This lab scrapes every 5 s so that you need not wait; 15 s to 60 s is usual in production.
# Guess from the file: which job finds its targets without naming them?

# %%
workspace.show("prometheus/prometheus.yml")

# %% covers: M2-C8
print("jobs that read target files:", prom.config().count("file_sd_configs"))
promtool("check", "config", "prometheus/prometheus.yml")

# %% [markdown]
# `from-files` reads its targets from a folder; more about it below. Run `promtool` before each reload: it checks the file
# you edit, and the server is never bothered with a broken one.
#
# > **Then and now.** `--web.console.templates` is still accepted, but its folder has been missing from the images since 3.0.
# > `--storage.tsdb.retention.time` still works and is deprecated; the older `--storage.tsdb.retention` stops the server:
# > `unknown long flag '--storage.tsdb.retention'`. Today retention is written in the file you see above.

# %% [markdown]
# ## What is on such a page?
# Before a number is in a database it is text. Two lines of explanation (`# HELP` and `# TYPE`), then one line for
# each combination of labels.
# How many modes does one CPU core have?

# %%
guess("m02.g2", ...)

# %% covers: M2-Q1
modes = prom.query('count(node_cpu_seconds_total{cpu="0"})').value[0]
print(guess("m02.g2").beside(modes, "modes"))
page("node_exporter", grep="node_cpu_seconds_total")

# %% [markdown] covers: M2-T3 M2-T4
# ## What is the difference between now and a while?
# A selector alone is an **instant vector**: the newest sample of each matching series, at most five minutes old. With
# `[30s]` behind it, it is a **range vector**: all samples of that window. Functions such as `rate` take range vectors and
# return instant vectors; only an instant vector can be drawn.
#
# Each **matcher** narrows the set: `=` and `!=` compare, `=~` and `!~` hold a regular expression against the whole value.
# Guess: with a scrape every 5 s, how many samples does one series have in `[30s]`?

# %%
guess("m02.g3", ...)

# %% covers: M2-Q2
window = prom.query('node_cpu_seconds_total{cpu="0", mode="idle"}[30s]')      # younger servers have fewer
print(guess("m02.g3").beside(len(window), "samples so far"))
window[["mode", "time", "value"]]

# %% covers: M2-Q3
prom.query('node_cpu_seconds_total{cpu="0", mode!="idle", mode=~"user|system|iowait"}')

# %% [markdown]
# The window holds at most six samples; right after the start there are fewer. It is open on the left: a sample exactly
# 30 s old is outside.
#
# > **Then and now.** Prometheus 2 counted both ends, so `[1m]` over a one-minute scrape could hold two samples. In
# > Prometheus 3 it holds one, and `rate` of one sample is nothing.
#
# **Trap:** `=~"us"` does not match `user`. The expression is anchored at both ends, as if it were `^us$`.

# %% [markdown]
# ## What is worth watching?
# A server that nobody uses has dull numbers. So a small shop opens now: a page (`frontend`), and a `gateway` that takes orders to
# `payments` and `inventory`. Behind them are a PostgreSQL and a cache. Four programs in three languages, and each counts its requests under
# the same name, `http_requests_total`, with the labels `method`, `route` and `code`.
#
# Prometheus is told of them by files in `prometheus/up/`, which the lab writes for what runs. Guess: how many targets are there now?

# %%
guess("m02.g13", ...)

# %%
stack.up("m02", "shop-core")

# %%
wait_until(lambda: prom.query('last_over_time(http_requests_total{service="inventory"}[10s])'), seconds=30)
print(guess("m02.g13").beside(len(prom.targets()), "targets"))
print(shop.order(quantity=2))
page("gateway", grep='http_requests_total{method="POST"')

# %% [markdown]
# `route` is a template such as `/orders/{order_id}`, never the path itself: with the path, each order would be a new series. The
# gateway's counter for good orders was there before the first order, at 0. That will matter soon.
#
# > **Then and now.** A page of metrics needs a `Content-Type` that says which text format it is. Prometheus 2 guessed; Prometheus 3 refuses a page
# > served as `text/html`, and the target is down.

# %% [markdown] covers: M2-T6 M2-Q6
# ## How fast does a counter grow?
# A counter only grows, and starts again at zero when whatever it counts restarts. Its value depends on how long it has been
# counting; its slope says what happens now. `rate(x[w])` is that slope per second, averaged over the window, with restarts taken out.
# `increase(x[w])` is the same number multiplied by the window's length.
#
# How does it survive a restart? It treats each fall as a fresh start from zero. Do it by hand first: what did this
# counter really count?

# %% frozen
samples = [100, 130, 160, 20, 50]       # every 5 s; the process was restarted after 160
naive = samples[-1] - samples[0]
pairs = zip(samples, samples[1:])
steps = [after - before if after >= before else after for before, after in pairs]
print(f"last minus first: {naive}")
print(f"with the reset taken out: {sum(steps)}; per second: {sum(steps) / 20}")
print(f"stretched to a window of 25 s, as `increase` does: {sum(steps) / 20 * 25}")

# %% [markdown]
# `delta` makes the first mistake, `increase` corrects it. Both then stretch the result from the first and last sample to the
# edges of the window, so `increase` of whole requests is seldom a whole number. Now live: the next cell sends a burst of customers to the shop
# and then asks for the same counter in three ways: `irate` (the last two samples only), `rate` over 20 s and `rate` over 2m.
# Which of them forgets the burst first? Answer `"irate"`, `"20s"` or `"2m"`.

# %%
guess("m02.g4", ...)

# %% covers: M2-Q14 M2-Q8
burst = 'http_requests_total{service="frontend", route="/", code="200"}'
count = lambda counter: prom.value(f"sum(last_over_time({counter}[10s])) or vector(0)")
before = count(burst)
print(shop.visits(400))
print("scraped", wait_until(lambda: count(burst) >= before + 400, seconds=20))
prom.query(f"increase({burst}[1m])")

# %% covers: M2-Q7
wait_until(lambda: prom.value(f"irate({burst}[1m])") < 20, seconds=20, what="one of them has forgotten")
print(guess("m02.g4").beside("irate"))
curves = f"irate({burst}[1m])", f"rate({burst}[20s])", f"rate({burst}[2m])"
prom.plot(*curves, last="2m", step=1, unit="requests/s")

# %% [markdown]
# One burst, three pictures. A spike for one scrape interval; a lower plateau for three (four samples have three gaps); a low hill for
# two minutes. None is wrong; each answers another question. Run the cell again in half a minute, and only the hill is left.
#
# **Trap:** alerts and recordings want `rate`. `irate` forgets everything but the last two scrapes, so one quiet interval
# resets the wait of an alert. And leave room for a missed scrape: four intervals. That is 20 s here, one to four minutes in
# production.

# %% [markdown] covers: M2-Q17
# ## What do you ask of a gauge?
# A gauge goes up and down: memory, queue length, temperature. Its value is the answer. `avg_over_time` and
# `max_over_time` sum up a window, `delta` says how it changed, `deriv` how fast, and `predict_linear` where it is heading.
#
# What happens when you ask for the `rate` of a gauge?

# %%
prom.query("rate(node_memory_MemAvailable_bytes[1m])")

# %% covers: M2-Q26 M2-Q9
print(f"now: {prom.value('node_memory_MemAvailable_bytes / 2^30'):.2f} GiB")
print(f"mean of a minute: {prom.value('avg_over_time(node_memory_MemAvailable_bytes[1m]) / 2^30'):.2f} GiB")
print(f"change in it: {prom.value('delta(node_memory_MemAvailable_bytes[1m]) / 2^20'):.1f} MiB")

# %% [markdown]
# `rate` gave a number, with a note. Each fall of the gauge was read as a restart of a counter, so the result is a large
# positive rate that means nothing. The note goes by the name: a counter's name should end in `_total`. It is only a note;
# a dashboard would have drawn the nonsense.

# %% [markdown] covers: M2-T5 M2-Q4
# ## How many series become one number?
# Aggregation throws labels away. `sum by (mode)` keeps `mode` and adds up the rest; `without (cpu)` drops `cpu` and keeps the rest.
# `avg`, `max`, `min` and `count(x)` work alike. The order matters: **rate first, then sum**. If you sum counters first, one
# restarted process makes the sum fall and `rate` invents a jump.
#
# Guess: on a machine with nothing to do, what do the rates of all modes of all cores add up to?

# %%
guess("m02.g5", ...)

# %% covers: M2-Q5
total = prom.value("sum(rate(node_cpu_seconds_total[1m]))")
print(guess("m02.g5").beside(round(total, 2), "CPU seconds a second"))
prom.query("sum by (mode) (rate(node_cpu_seconds_total[1m]))").sort_values("value", ascending=False)

# %% [markdown]
# It adds up to about the number of cores, busy or not: each core spends one second a second in some mode. In the server's first
# minute it is less, because the window is not yet full. In a container it is the cores of the host, not your CPU limit.
# That makes it a good check of any CPU query you are handed.
#
# **Trap:** `sum by (cpu) (node_cpu_seconds_total)` runs without complaint and shows seconds since boot.

# %% [markdown] covers: M2-T7
# ## The four questions about a host
# CPU busy, memory used, disk used, network traffic. Each has a popular wrong form. Memory: `MemFree` ignores what the
# kernel would give back at once; `node_memory_MemAvailable_bytes` counts it. All four results below are shares from 0 to 1
# or bytes a second.

# %% covers: M2-Q10 M2-Q11
busy = prom.value('1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[1m]))')
used = prom.value("1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes")
print(f"CPU busy: {busy:.3f}; memory used: {used:.3f}")

# %% covers: M2-Q12
disks = 'fstype!~"tmpfs|overlay|squashfs|ramfs"'
disk_used = f"1 - node_filesystem_avail_bytes{{{disks}}} / node_filesystem_size_bytes{{{disks}}}"
prom.query(f"max by (instance, device) (({disk_used}) and node_filesystem_readonly == 0)")

# %% covers: M2-Q13
cards = 'device!~"lo|veth.*|br-.*|docker.*"'
for way in ("receive", "transmit"):
    print(way)
    print(prom.query(f"sum by (device) (rate(node_network_{way}_bytes_total{{{cards}}}[1m]))"))

# %% [markdown]
# Without the `fstype` matcher, memory disks join the list (node_exporter itself leaves out `overlay` and `squashfs`). Without
# `max by (instance, device)`, a disk mounted twice counts twice. Without the `device` matcher, loopback and bridges are counted beside
# the card they end at. An empty table means that nothing passed the matchers.
#
# **Trap:** in a container on a bridge, node_exporter shows the container's own network card. It says nothing about the host's. The
# disk may be the host's, seen through a mounted file.

# %% [markdown]
# ## What share of requests fails?
# The shop counts its requests by `code`. A share is one sum divided by another. The failed requests
# are part of all requests. So choose the same requests on both sides, and add up over the same labels.
#
# The next cell breaks the frontend on purpose, makes 30 requests that fail with code 500, and waits until they are scraped.
# What does `increase` say then?

# %%
guess("m02.g6", ...)

# %% covers: M2-Q15
bad = 'http_requests_total{service="frontend", route="/", code=~"5.."}'
before = count(bad)
shop.fault("frontend.errors")
print(shop.visits(30), "after", before, "earlier failures")
shop.fault.clear()
wait_until(lambda: count(bad) >= before + 30, seconds=20)
print(guess("m02.g6").beside(prom.value(f"sum(increase({bad}[2m])) or vector(0)")))

# %% [markdown]
# On a server that had never failed before, `increase` says nothing: the series was **born** with the value 30, and one sample
# has no slope. `or vector(0)` made a 0 of that. So the first failures of a service's life are invisible to `rate`, unless its code
# creates the error series at 0 when it starts. Thirty more failures, among 570 good requests. What will the naive query say,
# where nothing is summed?

# %%
guess("m02.g12", ...)

# %%
asked, before = 'http_requests_total{service="frontend", route="/"}', count(bad)
shop.fault("frontend.errors")
print(shop.visits(30))
shop.fault.clear()
print(shop.visits(570))
wait_until(lambda: count(bad) >= before + 30, seconds=20)
naive = prom.query(f"rate({bad}[2m]) / rate({asked}[2m])")
print(guess("m02.g12").beside(naive.value.max()))
prom.query(f"sum by (job) (rate({bad}[2m])) / sum by (job) (rate({asked}[2m]))")

# %% [markdown]
# The naive query says 1: everything fails. Division pairs series with the same labels, and `code="500"` has one partner
# on the other side: itself. Summed first, both sides have one series for the job, and the share is what it should be.
#
# **Trap:** a service that never failed has no error series, so the sum of failures is *nothing*. Nothing divided by something is
# nothing, not 0. Without `by`, write `(sum(…) or vector(0)) / sum(…)`, with the brackets. With `by (job)`, `vector(0)` finds no
# partner, because it has no labels. Take the zero from the other side:
# `(sum by (job) (bad) or 0 * sum by (job) (all)) / sum by (job) (all)`.

# %% [markdown] covers: M2-T8
# ## How slow is slow?
# The four types: a **counter** grows, a **gauge** moves, a **histogram** counts observations in buckets, a **summary**
# computes quantiles inside the process. A classic histogram is one family with three kinds of series: `_bucket`
# (counts up to a bound `le`), `_sum` and `_count`. A native histogram is one series that holds all its buckets and needs no bounds chosen in advance.

# %%
page("payments", grep='request_duration_seconds_bucket{code="201",', lines=4)

# %% covers: M2-Q16 M2-Q18
print(shop.load("steady", rate=20, seconds=12, mix={"order": 1}))
buckets, wanted = "http_request_duration_seconds_bucket", 'service="payments", route="/payments"'
wait_until(lambda: prom.value(f'sum(rate({buckets}{{{wanted}, le="+Inf"}}[2m]))') > 1, seconds=30)
for quantile in (0.5, 0.95, 0.99):
    answer = prom.value(f"histogram_quantile({quantile}, sum by (le) (rate({buckets}{{{wanted}}}[2m])))")
    print(f"p{quantile * 100:.0f}: {answer:.4f} s")

# %% [markdown]
# `sum by (le)` merges the buckets of all codes and instances, and `le` has to stay: it is what the quantile is read
# from. Most payments fell into the first bucket, which ends at 0.005 s, and still the quantiles are different
# values. They come from a straight line through a bucket. The arithmetic for 200 requests:

# %% frozen
upper_bounds, counts = [0.1, 0.2, 0.4, 1.0], [120, 180, 196, 200]       # cumulative, as `le` is
rank = 0.95 * counts[-1]
bucket = next(i for i, count in enumerate(counts) if count >= rank)
low, below = upper_bounds[bucket - 1], counts[bucket - 1]
inside = (rank - below) / (counts[bucket] - below)
print(f"request {rank:.0f} of {counts[-1]}, in the bucket from {low} to {upper_bounds[bucket]} s")
print(f"p95 = {low + inside * (upper_bounds[bucket] - low):.3f} s")

# %% [markdown]
# The true value can lie anywhere in that bucket. So put a bucket's bound where your promise is: with a bound at 0.3 s you can
# say exactly what share was faster than 0.3 s.
#
# **Trap:** quantiles cannot be averaged. Two servers, one of them tiny:

# %% frozen
big, small = [0.05] * 9900 + [0.2] * 100, [0.9] * 20       # seconds; the small one serves 20 requests
p95 = lambda values: sorted(values)[int(0.95 * len(values))]
print(f"mean of the two p95: {(p95(big) + p95(small)) / 2:.3f} s")
print(f"p95 of all requests: {p95(big + small):.3f} s")

# %% covers: M2-Q19
native = f"histogram_quantile(0.95, sum(rate(http_request_duration_seconds{{{wanted}}}[2m])))"
print(f"p95 from the native histogram: {prom.value(native):.4f} s")
prom.query('prometheus_target_interval_length_seconds{quantile=~"0.5|0.99"}')

# %% [markdown]
# The first line asked the native histogram about the same requests: no `_bucket`, no `le`. All that the classic one knows of most
# payments is *below 0.005 s*; here the native buckets lie about 10 % apart. Native histograms are stable since 3.8:
# `scrape_native_histograms` turns them on for a job, `always_scrape_classic_histograms` keeps the old buckets beside them.
#
# The table is a summary: its quantiles were computed in
# the process, are cheap to read, and can be neither averaged nor merged over instances. Prefer histograms for your own code.

# %% [markdown]
# ## Which wrong answers come without an error?
# A syntax error is the friendly kind: you are told, with the position. Worse is a query that succeeds with nothing in it.
# Which one is refused? 1: `holt_winters(up[5m], 0.5, 0.5)`, 2: `rate(up[1s])`, 3: `sum(…_bucket{le="1"})`,
# 4: `up{job="promehteus"}`.

# %%
guess("m02.g7", ...)

# %%
print(prom.refused("holt_winters(up[5m], 0.5, 0.5)"))
print(guess("m02.g7").beside(1))
for query in ("rate(up[1s])", f'sum({buckets}{{le="1"}})', 'up{job="promehteus"}'):
    print(f"{len(prom.query(query))} series  {query}")

# %% [markdown]
# `rate` over less than two samples is empty. A label value with a typing error is empty. And `le="1"` is empty because
# Prometheus 3 writes bounds as `1.0`: an alert on that selector has been silent since the upgrade.
#
# > **Then and now.** `holt_winters` answers `unknown function with name "holt_winters"`. Its new name is
# > `double_exponential_smoothing`, behind `--enable-feature=promql-experimental-functions`. `le="1"` gives no message at all; write `le="1.0"`.
#
# **Trap:** "no data" and "all is well" look the same on most dashboards. `absent(x)` turns nothing into 1:

# %%
prom.query('absent(up{job="billing"})')

# %% [markdown]
# ## How do two sets of series meet?
# Every operator between two vectors pairs series with **equal labels** (the metric's name does not count). `on (…)` compares only the labels you name,
# `ignoring (…)` all but those. When one side has several series for one partner on the other, say so with `group_left`
# ("many on the left"); in brackets you may bring labels over. What share of the machine's memory does each server use?

# %%
share = "process_resident_memory_bytes / on () group_left () node_memory_MemTotal_bytes"
prom.query(share).sort_values("value")

# %%
borrowed = "process_resident_memory_bytes * on (job, instance) group_left (version) go_info"
prom.query(borrowed)[["job", "version", "value"]]

# %% [markdown]
# The first had one partner for all, so `on ()` compares no label at all. The second multiplies by a metric that is always 1
# to borrow its `version` label. What if Prometheus cannot tell which series belong together?

# %%
prom.refused('rate(prometheus_http_requests_total[2m]) / on (job) up{job="prometheus"}')

# %% [markdown]
# Many series on the left have the same `job`, and nothing says that this was meant. Never answer this message by adding
# `group_left` until it goes away; ask which labels make a pair. Shares by code, with `ignoring`:

# %%
prom.query("""
  sum by (handler, code) (rate(prometheus_http_requests_total[2m]))
    / ignoring (code) group_left ()
  sum by (handler) (rate(prometheus_http_requests_total[2m])) > 0
""")

# %% [markdown]
# Three more that answer daily questions. `a unless b` keeps what has no partner: *which targets do not report X?*
# `offset` shifts a selector into the past: *how much more than a while ago?* `a or b` fills gaps of `a` from `b`.
# Which of our targets report no memory of a host?

# %%
print(list(prom.query("up unless on (job, instance) node_memory_MemTotal_bytes").job))
prom.query("go_goroutines - go_goroutines offset 10s")

# %% [markdown]
# Only node_exporter speaks for the host; the others were left over. **Trap:** `a - b offset 1h` shifts `b` alone, and
# `(a - b) offset 1h` is refused. Write `offset` behind each selector. For traffic, compare with last week: `offset 1w`.

# %% [markdown] covers: M2-T9 M2-B3
# ## Why compute the same thing twice?
# A **recording rule** runs a query at each evaluation and keeps the result as a new series (`record:` is its name).
# Dashboards get fast, and everyone means the same thing by "busy". A rule's name says level, metric and operations.
#
# Read the file, then guess: what would go wrong with `irate` in the first rule?

# %%
workspace.install("files/m02/recording.yml", "prometheus/rules/recording.yml")

# %%
print(promtool("check", "rules", "files/m02/recording.yml"))
print(stack.reload("prometheus"))
wait_until(lambda: prom.query("instance:node_cpu_busy:ratio_rate5m"), seconds=15)
prom.query('{__name__=~".+:.+:.+"}')

# %% [markdown]
# With `irate` the name would lie (`rate5m`), and the share would jump with every scrape. Note what the rule keeps:
# `instance`. Averaged over the whole job, one host at 100 % among two would read 50 % and nobody would be told.
#
# **Trap:** a rule records from now on. It does not fill in the past; `promtool tsdb create-blocks-from rules` can.

# %% [markdown] covers: M2-T10
# ## When should a person be told?
# An **alerting rule** is a query whose every result is an alert. `for` waits until the result has been there that long
# (*pending*, then *firing*). Labels route it; annotations are the text for the person. Limits need reasons, and here they are in
# the file. Test a rule before you need it: `promtool` feeds it invented samples on a fake clock.

# %%
workspace.install("files/m02/alerts.yml", "prometheus/rules/alerts.yml")

# %%
workspace.show("files/m02/alerts_test.yml")
promtool("test", "rules", "files/m02/alerts_test.yml")

# %% [markdown]
# The test holds both directions: the hot host is named, the idle one is not. Change `0.8` to `0.95` in
# `workspace/files/m02/alerts.yml` and run the cell again: `promtool` prints what it expected and what it got. Then put it
# back.
#
# Now one for real. `InstanceDown` is in the lab's own rules. We add a target that does not exist. How many seconds until the
# alert fires, with a scrape and an evaluation every 2 s, and `for: 5s`?

# %%
guess("m02.g8", ...)

# %%
workspace.show("prometheus/rules/lab.yml")
stack.reload("prometheus")
prom.rules()[["group", "name", "type", "state"]]

# %% covers: M2-C7 M2-B1
# file_sd: a file that appears in the folder is a target, without a reload
print(workspace.write("prometheus/targets/lesson.yml", """
- targets: [billing:8080]
  labels: {env: lesson}
"""))
gone = lambda state: prom.alerts(instance="billing:8080", state=state)
pending = wait_until(lambda: gone("pending"), seconds=45, what="the alert is pending")
firing = wait_until(lambda: gone("firing"), seconds=40, what="the alert is firing")
print(guess("m02.g8").beside(round(sum(float(s.split()[1]) for s in (pending, firing)), 1), "seconds"))
gone("firing")[["alertname", "state", "env", "value"]]

# %% [markdown]
# Up to 5 s until the new target is taken up, up to 2 s to its first scrape, up to 2 s until the rule looks. Then the `for`, which
# ends with a look as well. **Trap:** a `job` label in a target file replaces the job's name. And a target listed in two jobs is
# scraped twice, so every sum doubles. Move targets; do not copy them.

# %%
stack.own("alertmanager")
wait_until(lambda: alerts.active(instance="billing:8080"), seconds=20, what="Alertmanager has the alert")
alerts.active()[["alertname", "instance", "severity", "state", "receivers"]]

# %% [markdown]
# Prometheus decides *that* something is wrong, Alertmanager decides *who* hears it. Ours has one receiver, and it sends nothing
# anywhere. Without a real receiver, an alert only turns red on a page.
#
# **Trap:** `{{ $value }}` prints every digit it has. Use `humanizePercentage` for shares, as `alerts.yml` does.
#
# Take the target away again. An alert whose series is gone is resolved; we look in a moment.

# %%
workspace.remove("prometheus/targets/lesson.yml")

# %% [markdown]
# ## What does a broken configuration do?
# You edit a file, you reload, and a bracket is missing. What does the server do? Answer `"stops"`, `"starts empty"`
# or `"goes on"`.

# %%
guess("m02.g9", ...)

# %%
workspace.write("prometheus/rules/broken.yml", "groups: [{name: x, rules: [{record: y, expr: 'sum('}]}]")
try:
    stack.reload("prometheus")
except Exception as refusal:
    print(refusal)

# %%
print(guess("m02.g9").beside("goes on"))
print(page("prometheus", grep="prometheus_config_last_reload_successful"))
print(workspace.remove("prometheus/rules/broken.yml"), stack.reload("prometheus"))
page("prometheus", grep="prometheus_config_last_reload_successful ")

# %% [markdown]
# The server goes on. A broken `prometheus.yml` changes nothing. A broken rule file keeps the old **rules**; new scrape jobs of the
# same reload are already in use. One metric tells: `prometheus_config_last_reload_successful`. Alert on it.
# **Trap:** the same file at a *restart* keeps the server from starting. A broken file waits for the next reboot.
# `--web.enable-lifecycle` opens the reload address, and `/-/quit`, which ends the server. Neither has a password; here they are on
# loopback only. Elsewhere leave it off, or set TLS and a password (`--web.config.file`). Leave off `--web.enable-admin-api`: it
# deletes data.

# %% [markdown]
# ## How can one exporter watch many addresses?
# When targets are discovered, **relabelling** rewrites their labels, before the first scrape. Labels that begin with `__` are for
# Prometheus itself and are dropped afterwards: `__address__` is what will be called, `__param_target` becomes `?target=…`. The blackbox exporter calls an address for you
# and reports. Read the three steps, then guess: which of the three probes fails?

# %%
workspace.install("files/m02/probe.yml", "prometheus/scrape/probe.yml")

# %%
stack.reload("prometheus")
wait_until(lambda: len(prom.query("last_over_time(probe_success[5s])")) == 3, seconds=20)
prom.query("probe_success")[["instance", "value"]]

# %% [markdown]
# `up` is 1 for all three, since the exporter answered; `probe_success` tells what it found. Both are needed. The
# discovered address and what relabelling made of it, side by side:

# %%
stack.own("prometheus")
prom.discovered("probe")[["__address__", "→ instance", "→ job"]]

# %% [markdown]
# ## How do you watch what ends?
# The target that never existed is out of the list. What has become of its alert?

# %%
print(wait_until(lambda: prom.alerts(instance="billing:8080").empty, seconds=30, what="it is resolved"))
prom.alerts()

# %% [markdown] covers: M2-C9
# No series, no alert. A batch job is harder: it ends as it should, and before anyone can pull. So it pushes its results to the
# **Pushgateway**, which shows them until someone deletes them or the gateway restarts (`--persistence.file` makes it remember). `honor_labels: true` on the gateway's scrape job keeps the `job` and
# `instance` that were pushed.
#
# What does a backup have to say? Not how long it took, but *when it last succeeded*:

# %% covers: M2-P1
pushgateway.push("""
# TYPE backup_last_success_timestamp_seconds gauge
backup_last_success_timestamp_seconds 1780000000
# TYPE backup_duration_seconds gauge
backup_duration_seconds 125.5
""", job="backup", instance="db1")

# %% [markdown]
# In a shell: `curl -X PUT --data-binary @metrics.txt` to `/metrics/job/backup/instance/db1` of the gateway. PUT replaces the whole
# group; POST, curl's default, only metrics of the same name. Suppose the backup
# never runs again. What will the gateway show tomorrow?

# %% covers: M2-B2
stack.own("pushgateway")
wait_until(lambda: prom.query("last_over_time(backup_duration_seconds[5s])"), seconds=15)
age = "(time() - backup_last_success_timestamp_seconds) / 3600"
print("hours since the last success:", round(prom.value(age)))
print("seconds since the last push:", round(prom.value('time() - push_time_seconds{job="backup"}')))
page("pushgateway", grep="backup")

# %% [markdown]
# Tomorrow, and next year, it shows the same duration, if nobody restarts it: there is no time to live. A dead backup looks
# like a healthy one unless you alert on the age of the last success, as `BackupTooOld` in `alerts.yml` does. `push_time_seconds` is the gateway's own note.
# **Trap:** `up{job="backup"}` does not exist; `up` belongs to the gateway. Delete groups you no longer push:

# %%
pushgateway.delete("backup", instance="db1")

# %% [markdown]
# ## What does a label cost?
# Each new label value is a new series, and each series lives in memory for one to three hours after its last sample. A
# developer adds `user` to a click counter. 20,000 users click. Guess: how many bytes of memory does each series cost?

# %%
guess("m02.g10", ...)

# %%
config, anchor = "prometheus/prometheus.yml", "    honor_labels: true"
limit = "    sample_limit: 1000\n"
rule = "{source_labels: [__name__], regex: shop_clicks_total, action: drop}"
drop = f"    metric_relabel_configs:\n      - {rule}\n"
workspace.without(config, limit, drop)      # in case an earlier visit ended half way
stack.reload("prometheus")

# %%
series = lambda: float(prom.tsdb("headStats").numSeries[0])
memory = lambda: float(page("prometheus", grep="process_resident_memory_bytes ").split()[-1])
before = series(), memory()
stamp = round(prom.value("time()"))
clicks = "\n".join(f'shop_clicks_total{{user="{stamp}-{n}"}} {n}' for n in range(20_000))
pushgateway.push(f"# TYPE shop_clicks_total counter\n{clicks}", job="shop")

# %%
stack.own("prometheus")
wait_until(lambda: series() > before[0] + 19_000, seconds=20, what="the new series are stored")
bytes_each = (memory() - before[1]) / (series() - before[0])
print(guess("m02.g10").beside(round(bytes_each), "bytes a series"))
whole = memory() / series()
print(f"the whole server: {whole:.0f} bytes a series")
print(f"a million users: {whole * 1e6 / 2**30:.1f} GiB, before anyone has queried anything")

# %% [markdown]
# The first figure moves with the garbage collector. A second flood of the same server can print a tenth of it, or less than zero:
# the memory was already taken. Plan with the second one. How would you find the culprit without knowing it? Ask the database what fills it:

# %%
prom.tsdb().head(3)

# %%
prom.tsdb("labelValueCountByLabelName").head(3)

# %% [markdown]
# A metric and a label, by name. Two defences: `sample_limit` bounds what one scrape may bring; `metric_relabel_configs` drops series
# after the scrape, before storage. Guess what `up` of the gateway will be under a limit of 1,000.

# %%
guess("m02.g11", ...)

# %%
workspace.without(config, limit, drop)
workspace.replace(config, anchor, limit + anchor)

# %%
stack.reload("prometheus")
gateway = 'up{job="pushgateway", instance="pushgateway:9091"}'
wait_until(lambda: prom.value(gateway) == 0, seconds=15)
print(guess("m02.g11").beside(prom.value(gateway)))
prom.targets(job="pushgateway").last_error[0]

# %% [markdown]
# The limit refuses the whole scrape: a loud failure of one target, with its reason, in place of a quiet one of the server. All of
# its metrics are missing now, good ones too. So drop the one bad family and keep the limit for the next surprise:

# %%
workspace.without(config, limit, drop)
workspace.replace(config, anchor, limit + drop + anchor)

# %%
stack.reload("prometheus")
wait_until(lambda: prom.targets(job="pushgateway", health="up"), seconds=15)
wait_until(lambda: prom.query("shop_clicks_total").empty, seconds=15, what="no new samples are stored")
dropped = 'scrape_samples_scraped{job="pushgateway"} - scrape_samples_post_metric_relabeling'
prom.query(dropped)[["job", "value"]]

# %% [markdown]
# 20,000 samples are still fetched and thrown away at each scrape: the cure is at the source, in the code that sets the
# label. **Trap:** the limit counts what is left *after* relabelling, and series that are in memory stay there for hours.
#
# And on disk? A sample takes one to two bytes there (the storage chapter of Prometheus' documentation), so disk is
# rarely what hurts first:

# %% frozen
series_count, interval, days, bytes_a_sample = 100_000, 15, 15, 1.5
samples = series_count * days * 86_400 / interval
print(f"{samples / 1e9:.1f} billion samples in {days} days of {series_count:,} series")
print(f"{samples * bytes_a_sample / 1e9:.0f} GB on disk")

# %% [markdown]
# Clean up behind the lesson: take the flood out of the gateway, and the lesson's steps and files out of the configuration. What
# you wrote into one of these files yourself is kept in the backup folder.

# %%
print(pushgateway.delete("shop"))
print(workspace.without(config, limit, drop))
for name in lesson_files:
    workspace.remove(f"prometheus/{name}")
stack.reload("prometheus")

# %% [markdown]
# ## What to take away
# - Pull: a target that cannot be scraped is a fact (`up`), not a silence.
# - Rate first, then sum; sum first, then divide; keep `le` for quantiles.
# - The dangerous queries are those that succeed with nothing in them. Look at the number of series, too.
# - Rules are code: checked by `promtool check`, tested by `promtool test`, with a reason beside each limit.
# - Each label multiplies the number of series by its number of values.
#
# ## On your own
# - Which route of the shop is the slowest at the 99th percentile, and how many requests is that based on?
# - Add a target of yours to `prometheus/targets/` and watch `prom.targets()` without a reload.
# - Write an alert for `prometheus_config_last_reload_successful == 0` and a test that sees it fire.
#
# ## In practice
# - Scrape every 15 s to 60 s; windows of four intervals; `for` of a few missed scrapes.
# - Keep rules in a repository, with `promtool` in its checks. Alert on Prometheus itself, from elsewhere.
# - Put `sample_limit` on every job on the day it is created.
#
# ## Further reading
# - [Querying basics](https://prometheus.io/docs/prometheus/latest/querying/basics/) and
#   [operators](https://prometheus.io/docs/prometheus/latest/querying/operators/) in Prometheus' documentation
# - [Migration to Prometheus 3](https://prometheus.io/docs/prometheus/latest/migration/)
# - [Histograms and summaries](https://prometheus.io/docs/practices/histograms/), [when to push](https://prometheus.io/docs/practices/pushing/)
# - Pivotto and Brazil, *Prometheus: Up & Running*, second edition, O'Reilly 2023

# %%
stack.down("m02", "shop-core")

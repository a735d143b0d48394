# %% [markdown] covers: CF-1 CF-3 M1-O1
# # Foundations: what is my machine doing?
# Someone says "the server is slow". You are paid to turn that into a resource, a process and a number, and to know when the
# number lies.
#
# **You will do:** read a page of metrics, compare it with the tools of Linux, burn CPU, memory and disk to watch the signals
# move, write an exporter, and find an unknown load against the clock.
#
# **You will learn:** the four types of metrics, three checklists (golden signals, USE, RED), and what no tool tells you.
#
# **You need:** 120 minutes, about 130 MB of memory for the servers and 80 MB while the archived month is open, Linux and a little
# shell. Docker is welcome, not needed. All this is to refresh what you have used before, and to add a few things that are newer.

# %% setup
from monlab import guess, machine, page, prom, promtool, stack, wait_until, workspace

# %% covers: M1-A1 M1-S1
for name in ("m01", "m01_broken"):
    workspace.remove(f"prometheus/targets/{name}.yml")      # in case an earlier visit ended half way
stack.up("m01")     # node_exporter shows this machine's numbers, Prometheus collects them

# %% [markdown] covers: CF-2
# Each section has the same shape: a short reminder, a guess, a look at the running system, what it means, a trap. Tasks of your own
# (*On your own*) come at the end. Change any cell and run it again.
#
# ## Where does a number begin?
# node_exporter reads files of the kernel and shows them as a text page. Nothing is stored there. Four families carry most of what
# you need: CPU, memory, disk and network. Before you look: how many numbers are on that page?

# %%
guess("m01.g1", ...)

# %% covers: M1-Q1 M1-Q2 M1-Q3 M1-Q4
whole = page("node_exporter", lines=100_000)
numbers = [line for line in whole.splitlines() if not line.startswith("#")]
print(guess("m01.g1").beside(len(numbers), "numbers"))
for family in ("node_cpu_seconds_total", "node_memory_MemA", "node_disk_written", "node_network_receive_bytes"):
    print(page("node_exporter", grep=family, lines=5))

# %% [markdown] covers: M1-T2
# `# HELP` explains, `# TYPE` says what kind of number it is. Then one line for each **series**: name, labels in braces, value.
# The first: seconds that one core has spent idle since the machine started.
#
# ## What kind of number is it?
# A **counter** only grows: its slope is the message. A **gauge** goes up and down: its value is the message. A **histogram** counts
# into buckets, from which a server computes quantiles over many machines (p95: 95 % were below it). A **summary** brings
# quantiles ready-made; they cannot be added up. How many of each are here, and what do the last two look like?

# %% covers: M1-A2
kinds = [line.split()[-1] for line in whole.splitlines() if line.startswith("# TYPE")]
print({kind: kinds.count(kind) for kind in sorted(set(kinds), key=kinds.count)})
print(page("prometheus", grep="prometheus_http_request_duration_seconds_bucket", lines=3))
page("node_exporter", grep="go_gc_duration_seconds")

# %% [markdown]
# The middle lines are a histogram's buckets. Each counts all requests up to `le` seconds, so the numbers never fall from line
# to line. The last lines are a summary.
#
# **Trap:** types can be missing or wrong. The name is the second witness: a counter ends in `_total`, and a unit stands before
# that: `_seconds_total`, `_bytes`.

# %% [markdown] covers: M1-T6 M1-T7 M1-T8 M1-T9
# ## Do tools and metrics agree?
# You know these. CPU: `top`, `htop`, and core by core `mpstat`. Memory: `free` and `vmstat`. Disks: `iostat -x` (waits, queue) and
# `iotop` (by process). Network: `iftop`, `nethogs` and `ss`. The next cell keeps one core busy, asks such tools
# and node_exporter about the same moments, side by side. How many of some two dozen pairs will agree?

# %%
guess("m01.g2", ...)

# %%
print(machine.burn("cpu", cores=1, seconds=45))
pairs = machine.compare(seconds=10)
print(guess("m01.g2").beside(int((pairs.agree == "yes").sum()), f"of {len(pairs)} pairs"))
pairs[["fact", "by the tool", "tool says", "metric says", "unit", "agree", "why not"]]

# %% [markdown]
# Both read the same files; the metric adds a name, a history and a place where all machines meet. *Agree* means within 1 % for
# sizes and totals, 3 points for CPU, 2 for counts.
#
# Where they differ, the last column says why. It may be a **container's view**: its own network, or limits put over `/proc`. Or
# **iowait**, which the kernel counts as idling and moves about. **Steal** is time that the hypervisor gave to somebody else.
# `pairs.metric` has the queries.
#
# **Trap:** `vmstat` and `iostat` first print the mean since boot. Old versions of `top` do, too; new ones begin with a few ticks.
# `/proc` counts in ticks, as a rule of 10 ms, so a share is a difference of two looks. And `ps` divides by a whole life:

# %% frozen
lived, worked = 24 * 3600, 60       # a process that slept for a day and has been spinning for a minute
print(f"ps says {100 * worked / lived:.2f} % CPU, and it uses a whole core")
minute = [1 - 2.718281828 ** -(seconds / 60) for seconds in (5, 20, 60, 180)]
print("load average of one busy core after 5, 20, 60, 180 s:", [round(load, 2) for load in minute])

# %% [markdown] covers: M1-T10
# So rank processes by what they do *now*: two looks, a second apart. The second line printed above is the load average. It is a
# damped mean, late by design, and on Linux it also counts tasks that wait for a disk.

# %%
machine.ranked(by="cpu", top=5)

# %% [markdown]
# ## Which signal moves?
# Three burners, one after another: the CPU burner (it ran above), 200 MB of memory, a file of 100 MB written over and over.
# Guess what the second one takes down: `"MemFree"`, `"MemAvailable"`, `"both"` or `"none"`.

# %%
guess("m01.g3", ...)

# %%
machine.watched()       # ends the cell where the metrics are another machine's
gauges = "MemFree", "MemAvailable", "Cached"
ask = lambda name: float(page("node_exporter", grep=f"node_memory_{name}_bytes ", lines=9).split()[-1]) / 1e6
before = [ask(name) for name in gauges]
taker = machine.burn("memory", memory_mb=200, seconds=30)
print(taker, wait_until(lambda: taker.resident_mb > 190, seconds=10))
after = [ask(name) for name in gauges]
print(guess("m01.g3").beside("both"))
print({name: round(now - then) for name, then, now in zip(gauges, before, after)}, "MB")
machine.scraped(1)

# %% [markdown]
# Both fell by what was taken, give or take what others did in that second. `Cached` follows what everybody reads and writes. Alert on
# **MemAvailable**: it counts what the cache would give back. MemFree is small on every healthy machine that has read many files.
#
# **Trap:** writing fills the page cache first. A disk's counters move when the kernel writes back, or when a program insists, as
# the next burner does.

# %%
machine.watched()
print(machine.burn("disk", disk_mb=100, seconds=20))
machine.scraped(3)
machine.ranked(by="writing", top=3)

# %%
prom.plot(
    '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[15s]))',
    "node_load1",
    "(max_over_time(node_memory_MemAvailable_bytes[90s]) - node_memory_MemAvailable_bytes) / 1e6",
    "sum(rate(node_disk_written_bytes_total[15s])) / 1e6",
    last="75s", step=1, labels=["CPU busy, share", "load average", "memory taken, MB", "MB written a second"],
)
machine.stop()

# %% [markdown]
# Four signals, four tempers: the share of CPU jumps, the load average creeps, memory is a step, the disk a block.
#
# The burner's file has no name any more: `du` cannot find it, `df` counts it. A deleted file that a process holds open is the
# usual reason when those two disagree.
#
# ## Which signals do I need?
# Three checklists, so that you look everywhere and not only where it is bright.

# %% [markdown] covers: M1-T1 M1-T3 M1-T4
# | list | for | asks |
# |---|---|---|
# | **four golden signals** | what users meet | latency, traffic (per second), errors, saturation |
# | **USE** | each resource | utilization, saturation, errors |
# | **RED** | each service | rate, errors, duration |
#
# **Trap:** saturation is not a high utilization. It is work that *waits or is refused*: a run queue, a full pool, throttling. A
# disk can be busy all the time and keep nobody waiting.

# %%
machine.use()

# %% [markdown] covers: M1-T5 M1-T11
# Linux measures waiting itself: **pressure stall information** says for how much of the time some task had to wait. Where a row says
# *not shown*, this machine has no such counter, and that trouble stays unseen.
#
# There are four layers: **infrastructure** (hardware, network), **operating system**, **service or container**, **application**.
# The last one knows about users: request rate, error rate, response time (p50, p95, p99), active connections, queue depth,
# database time, cache hit ratio. Go down a layer for a cause, up to know whether anyone is hurt.

# %% [markdown]
# ## And a service?
# Here a shop of four services is archived: June 2026, always the same numbers. On the 15th its database was away for a while. The same RED
# questions for each service, an hour before and in the middle of it. Guess: were the answers of the frontend `"slower"` or
# `"faster"` than usual?

# %%
guess("m01.g7", ...)

# %%
stack.up("month")

# %%
shop = machine.red(15, "08:45", "09:45")
usual, broken_down = shop[shop.service == "frontend"]["p95, seconds"]
print(guess("m01.g7").beside("faster" if broken_down < usual else "slower"))
shop

# %% [markdown]
# Failures are quick, so the duration looks better than ever while the shop is down. And payments has no failures at all: nobody
# reaches it any more. One letter of RED alone lies; the three together, for each service, point at what lies between.
#
# NaN is 0 divided by 0. At the inventory before the outage it is something else: no series of failures existed yet, because that
# service makes it at the first one. **Trap:** on neither does an alert fire.

# %% [markdown] covers: M1-A3 M1-P1
# ## How do I report on a host without any server?
# `host_report.sh` gives CPU, memory, disk, load and the busiest processes. It reads `/proc` twice and parses nothing that was made for
# eyes: formats like `top`'s change with the version and the language. Open the file, then run it:

# %% covers: M1-A4
machine.script("files/m01/host_report.sh")      # as `chmod +x` and `./host_report.sh` in a shell

# %% [markdown]
# In PromQL, Prometheus' query language, it is ten lines, for any number of hosts and any moment. Guess: which part of the report cannot be asked
# from node_exporter, `"disk"`, `"load"` or `"processes"`?

# %%
guess("m01.g4", ...)

# %%
print(guess("m01.g4").beside("processes"))
disk = '{mountpoint="/", fstype!="rootfs"}'
cpu = lambda modes: f'100 * sum(rate(node_cpu_seconds_total{{mode=~"{modes}"}}[30s])) / sum(rate(node_cpu_seconds_total[30s]))'
machine.answers({
    "CPU, user %": cpu("user|nice"),
    "CPU, kernel %": cpu("system|irq|softirq"),
    "CPU, idle %": cpu("idle"),
    "memory, MiB": "node_memory_MemTotal_bytes / 2^20",
    "memory available, MiB": "node_memory_MemAvailable_bytes / 2^20",
    "memory used, %": "100 - 100 * node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "disk, MiB": f"node_filesystem_size_bytes{disk} / 2^20",
    "disk available, MiB": f"node_filesystem_avail_bytes{disk} / 2^20",
    "disk read-only": f"node_filesystem_readonly{disk}",
    "load average": "node_load1",
})

# %% [markdown]
# node_exporter counts no processes by name: each process that ever lived would be a new series. What you want to know of a
# process, it reports itself (`process_cpu_seconds_total`), or its container does.
#
# **Trap:** in a container, `/proc` still shows the whole host: all its cores and memory, not your limit.

# %% [markdown] covers: M1-B1 M1-S2
# ## And one container?
# **cAdvisor** asks the kernel's control groups and puts Docker's names to them. It comes with the Docker engine of this lab. Without
# containers the same questions go to the files that cAdvisor reads, for the group that this notebook runs in:

# %%
print(machine.group())
print(prom.query("process_resident_memory_bytes / 2^20")[["job", "value"]].round())     # what servers say of themselves, MiB
page("cadvisor", grep="container_memory_working_set_bytes") if stack.has("cadvisor") else machine.groups()

# %% [markdown]
# The *working set* is memory without the file cache that could go at once. `cpu.stat` tells how often a group was held back by its
# limit, which no metric of the whole host shows.
#
# cAdvisor needs deep access to the machine: give it read-only mounts, not `privileged`, and no open port; `stack/compose.yaml`
# shows how, with the image's present home, ghcr.io. On the native engine no cAdvisor was run; the table above is not its answer.
#
# ## How does my own number get there?
# Somebody's first draft of a page. How many mistakes do you see? `promtool` knows the conventions:

# %%
draft = """# TYPE folderFiles counter
folderFiles{folder="inbox"} 3
# HELP folder_age_milliseconds Age of the oldest file.
# TYPE folder_age_milliseconds gauge
folder_age_milliseconds 1200
"""
promtool("check", "metrics", stdin=draft)

# %% [markdown]
# Base units: seconds, bytes, ratios from 0 to 1. Lower case with underscores, the unit last, `_total` for counters, a HELP for each.
# Better than an age is the *time* of the event: the age then grows by itself, also while the exporter is dead.

# %%
better = """# HELP folder_files Files in the folder.
# TYPE folder_files gauge
folder_files{folder="inbox"} 3
# HELP folder_oldest_file_timestamp_seconds When the oldest file was last changed.
# TYPE folder_oldest_file_timestamp_seconds gauge
folder_oldest_file_timestamp_seconds{folder="inbox"} 1780000000
"""
promtool("check", "metrics", stdin=better)

# %% [markdown] covers: M1-B2 M1-S3
# An **exporter** translates for something that knows nothing of Prometheus, whenever that fetches the page (a *scrape*). Read `exporter.py`: its
# `collect` looks into folders. One of the two below does not exist. Should such a scrape fail, or show the half that is true?

# %%
workspace.show("files/m01/exporter.py")

# %% covers: M1-S3
exporter = machine.run("files/m01/exporter.py", "course=files/m01", "backup=files/no_backup")
print(exporter.get())       # the header matters as much as the text
print(promtool("check", "metrics", stdin=exporter.get().text))
exporter.page(grep='{folder=', lines=8)

# %% [markdown]
# The true half, and for the other `folder_readable` 0 and a counter: an alert can name the folder. The values of the label are
# the short names given at the start, few and fixed. An info metric (`_build_info`, always 1) carries the version. Now Prometheus
# gets it as a target, by a file; then the exporter is asked to end. (A Prometheus in Docker cannot reach a program on this
# machine's loopback: there the cell ends with a sentence.)

# %%
workspace.write("prometheus/targets/m01.yml", exporter.target(instance="exporter"))
wait_until(lambda: prom.targets(instance="exporter", health="up"), seconds=20)
print(exporter.stop())
wait_until(lambda: prom.value('up{instance="exporter"}') == 0, seconds=20)
print(prom.query('last_over_time(folder_files[1m])')[["folder", "value"]])
prom.targets(instance="exporter").last_error[0].split(": ")[-1]

# %% [markdown] covers: M1-P2
# It ended as asked: at SIGTERM the scrape under way is answered, then `up` falls to 0. `folder_files` is *stale* (gone) at once;
# only a look back finds it.
#
# When the program is your own, count where the work is done. `worker.py` has a counter of requests by route and code, a histogram
# of durations, and `worker_requests_in_progress`, which falls again also when the work raises. With four customers at once, how
# many are in progress at most?

# %%
guess("m01.g5", ...)

# %%
worker = machine.run("files/m01/worker.py")
begun = worker.begin("/hash?kb=60000", times=24, at_once=4)
most = max(float(worker.page(grep="in_progress ").split()[-1]) for _ in range(20))
print(guess("m01.g5").beside(most, "in progress"), "·", begun.result(), "·", worker.repeat("/hash?kb=all", times=3))
worker.page(grep="worker_request", lines=30)

# %% [markdown]
# Rate, errors and duration are all on that page: the growth of `_count`, the share of codes from 400 on, and the buckets. In Prometheus:

# %%
workspace.write("prometheus/targets/m01.yml", worker.target(instance="worker"))
wait_until(lambda: prom.query('last_over_time(worker_requests_total{code="200"}[4s]) >= 24'), seconds=20)
worker.repeat("/hash?kb=20000", times=40)
wait_until(lambda: prom.query('rate(worker_requests_total{code="200"}[8s]) > 0'), seconds=20)
machine.answers({
    "rate, requests a second": "sum(rate(worker_requests_total[8s]))",
    "errors, share": 'sum(worker_requests_total{code=~"[45].."}) / sum(worker_requests_total)',
    "duration, p95, seconds": "histogram_quantile(0.95, sum by (le) (rate(worker_request_duration_seconds_bucket[8s])))",
})

# %% [markdown]
# **Trap:** the route is a label, the raw path must not be one: a stranger who asks for a million paths makes a million series.
# `worker.py` calls them all `other`.
#
# ## What does a broken exporter look like?
# One program now shows many pages, each with one mistake. Prometheus scrapes them, promtool reads them. For how many do the two
# disagree: one is content, and the other is not?

# %%
guess("m01.g6", ...)

# %%
broken = machine.exhibition()
workspace.write("prometheus/targets/m01_broken.yml", broken.targets())
trial = machine.trial(broken)
disagree = (trial.Prometheus == "up, silent") != (trial["promtool says"] == "nothing")
print(guess("m01.g6").beside(int(disagree.sum()), f"of {len(trial)}"))
trial

# %% [markdown]
# *Down* is the kind outcome: there is a message. *Up, samples lost* is worse: the target is green and numbers are missing. *Up,
# silent* is the worst: all is stored, and it is wrong. promtool reads text; it sees no header, no clock and no second scrape.
#
# > **Then and now.** `non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target`:
# > Prometheus 2 guessed the format, Prometheus 3 refuses. Send `text/plain; version=0.0.4`; client libraries do it for you.

# %%
print(broken.page("falling-counter"))
print(broken.sentence("falling-counter"))
prom.query('rate(jobs_total{instance="falling-counter"}[10s])')

# %% [markdown]
# A counter that falls by one each second, and a huge rate: each fall is read as a restart from zero. No look at one page can find
# this. Only somebody who knows what is counted can.

# %%
print(broken.stop(), worker.stop())
for name in ("m01", "m01_broken"):
    workspace.remove(f"prometheus/targets/{name}.yml")

# %% [markdown]
# ## What is wrong with this machine?
# Now against the clock. Three processes begin; one of them works. Say which resource (`"cpu"`, `"memory"`, `"disk"` or `"network"`), which
# process, and which PromQL query shows it. Use anything above; `machine.ranked` can sort by `"cpu"`, `"memory"`, `"writing"` and `"files"`.

# %%
machine.mystery()

# %%
machine.ranked(by="files")

# %% [markdown]
# Put your answer in place of the three dots. Run `machine.mystery()` again for another one, until you need less than a minute.

# %%
machine.reveal(resource=..., process=..., evidence=...)

# %% [markdown] covers: CF-5
# ## What to take away
# - A counter's message is its slope, a gauge's its value; the name says which.
# - Tools and metrics read the same files; where they differ, ask whose view it is.
# - MemAvailable, not MemFree; pressure, not only utilization; what a process does now, not since its start.
# - An exporter shows the half that is true and says which half is missing.
# - Up and green is not right: the worst pages are taken in without a word.
#
# ## On your own
# - Write a metric for something only you know: the age of your last backup. Let `promtool` judge it.
# - Solve the mystery five times. Which load took longest, and which metric would have been faster?
# - Mend one broken exporter of each outcome.
#
# ## In practice
# - Keep `host_report.sh` on machines that have nothing else; everywhere else run node_exporter, on loopback or behind a firewall.
# - Put `promtool check metrics` into the tests of each program that shows metrics.
# - Alert on `up`, on the exporter's own failures, and on the age of what it reports.
#
# ## Further reading
# - The kernel on [/proc](https://docs.kernel.org/filesystems/proc.html) and [pressure stall information](https://docs.kernel.org/accounting/psi.html)
# - [The USE method](https://www.brendangregg.com/usemethod.html) by Brendan Gregg
# - [Monitoring distributed systems](https://sre.google/sre-book/monitoring-distributed-systems/), where the golden signals come from
# - [Writing exporters](https://prometheus.io/docs/instrumenting/writing_exporters/) and [naming](https://prometheus.io/docs/practices/naming/)
#
# Next: module 2, Prometheus, asks the same numbers over time, records and alerts. Each later module builds on the one before.

# %%
print(machine.stop())
stack.down("m01", "month")

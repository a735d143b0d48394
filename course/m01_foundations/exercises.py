# %% [markdown]
# # Foundations: exercises
# Twelve tasks; only the last two need servers. Put your answer in place of the empty one, then run the cell.
# `hint("m01.q1")` helps step by step; `solution("m01.q1")` tells.

# %% setup
from monlab import check, hint, machine, promtool, solution, stack, workspace

# %% [markdown] exercise: m01.q1
# ## Kinds of numbers
# **Task 1.** For which of these does `rate(x[5m])` make sense? Answer with a list of names: `node_network_receive_bytes_total`,
# `node_memory_MemAvailable_bytes`, `process_cpu_seconds_total`, `node_load1`, `http_request_duration_seconds_count`,
# `process_start_time_seconds`, `node_filesystem_avail_bytes`.

# %% solution
q1 = ["node_network_receive_bytes_total", "process_cpu_seconds_total", "http_request_duration_seconds_count"]

# %%
check("m01.q1", q1)

# %% [markdown] exercise: m01.q2
# **Task 2.** A page says `# TYPE orders_open counter`. Four scrapes of the same process, which has not been restarted:
#
# | 12:00:00 | 12:00:05 | 12:00:10 | 12:00:15 |
# |---|---|---|---|
# | 41 | 44 | 39 | 40 |
#
# What is it really: counter, gauge, histogram or summary?

# %% solution
q2 = "gauge"

# %%
check("m01.q2", q2)

# %% [markdown] exercise: m01.q3
# ## Reading a page
# ```text
# # TYPE http_request_duration_seconds histogram
# http_request_duration_seconds_bucket{le="0.1"} 120
# http_request_duration_seconds_bucket{le="0.5"} 216
# http_request_duration_seconds_bucket{le="1"} 228
# http_request_duration_seconds_bucket{le="+Inf"} 240
# http_request_duration_seconds_sum 84
# http_request_duration_seconds_count 240
# ```
# **Task 3.** How long did a request take on average? A number with a unit, such as `"12 ms"`.

# %% solution
q3 = "350 ms"

# %%
check("m01.q3", q3)

# %% [markdown] exercise: m01.q4
# **Task 4.** From the same page: what share of the requests took longer than half a second? From 0 to 1, or in %.

# %% solution
q4 = 0.1

# %%
check("m01.q4", q4)

# %% [markdown] exercise: m01.q5
# ## Signals
# **Task 5.** A pool has ten database connections. All are in use, and twelve requests wait for one. The number twelve is a sign of
# which: latency, traffic, errors, saturation or utilization?

# %% solution
q5 = "saturation"

# %%
check("m01.q5", q5)

# %% [markdown] exercise: m01.q6
# **Task 6.** A machine with four cores has had a load average of 8.0 for ten minutes. Its CPUs are idle 90 % of the time. What is
# going on? One of: the CPUs are too slow · eight tasks wait for a disk or another device · each core is used twice · memory is
# full · nothing, the load is a percentage.

# %% solution
q6 = "eight tasks wait for a disk or another device"

# %%
check("m01.q6", q6)

# %% [markdown] exercise: m01.q7
# ## Units
# **Task 7.** The first line of `/proc/stat`, the sum over four cores: the number for *user* was 24,000 and is 30,000 half a minute later. The file
# counts 100 ticks a second. What share of all CPU time was spent in user mode, in %?

# %% solution
q7 = "50 %"

# %%
check("m01.q7", q7)

# %% [markdown] exercise: m01.q8
# **Task 8.** `MemTotal: 16384000 kB`, `MemFree: 512000 kB`, `MemAvailable: 4096000 kB`, `Cached: 9216000 kB`. What share of the memory is in
# use, so that no program can have it? From 0 to 1, or in %.

# %% solution
q8 = 0.75

# %%
check("m01.q8", q8)

# %% [markdown] exercise: m01.q9
# ## Labels and pages
# **Task 9.** A developer proposes:
# ```text
# http_requests_total{method="GET", route="/orders/{id}", path="/orders/1871", code="200", user="4711", request_id="c0ffee", time="12:00:05"} 1
# ```
# Four of the labels are mistakes. Which? A list of names.

# %% solution
q9 = ["path", "user", "request_id", "time"]

# %%
check("m01.q9", q9)

# %% [markdown] exercise: m01.q10
# **Task 10.** Mend this page of a backup program; each metric gets HELP and TYPE. 41 runs went well, 2 failed: tell them apart by the
# label `result`, with the values `ok` and `failed`. Names: `backup_runs…`, `backup_last_duration…`, `backup_size…`, with the right
# endings.
# ```text
# # TYPE backup_runs gauge
# backup_runs 41
# backup_runs 2
# # HELP backup_last_duration_ms How long the last one took.
# # TYPE backup_last_duration_ms gauge
# backup_last_duration_ms 2500,0
# backup_size_megabytes 3
# ```

# %% solution
q10 = """
# HELP backup_runs_total Backups that were tried.
# TYPE backup_runs_total counter
backup_runs_total{result="ok"} 41
backup_runs_total{result="failed"} 2
# HELP backup_last_duration_seconds How long the last one took.
# TYPE backup_last_duration_seconds gauge
backup_last_duration_seconds 2.5
# HELP backup_size_bytes Size of the last one.
# TYPE backup_size_bytes gauge
backup_size_bytes 3000000
"""

# %%
check("m01.q10", q10)

# %% [markdown] exercise: m01.q11
# **Task 11.** The lesson's broken exporters, once more. Of which pages does *nobody* complain: Prometheus is up and silent, promtool has nothing
# to say? A list of names from the next cell's table. (A Prometheus in Docker cannot show it; then leave this task out.)

# %%
stack.up("m01")
broken = machine.exhibition()
workspace.write("prometheus/targets/m01_broken.yml", broken.targets())
trial = machine.trial(broken)
print(broken.stop(), workspace.remove("prometheus/targets/m01_broken.yml"))
trial[["exporter", "Prometheus", "promtool says"]]

# %% solution
q11 = ["falling-counter", "raw-path", "help-after-samples", "not-a-number", "histogram-without-inf"]

# %%
check("m01.q11", q11)

# %% [markdown] exercise: m01.q12
# ## A service
# **Task 12.** E of RED, for each service of the shop: the share of its requests that failed (5xx), over the last five minutes. A
# service that has not failed yet has no answer. Your query is judged in the archived month.

# %%
stack.up("month")

# %% solution
q12 = """
sum by (service) (rate(http_requests_total{code=~"5.."}[5m]))
  / sum by (service) (rate(http_requests_total[5m]))
"""

# %%
check("m01.q12", q12)

# %%
stack.down("m01", "month")

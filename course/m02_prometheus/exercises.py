# %% [markdown]
# # Prometheus: tasks
# Nineteen tasks, most about one month of the shop: June 2026, archived, with everything that went wrong in it. A query is judged by
# what it gives at about a hundred instants; how you write it is up to you.
#
# **You will do:** select, rate, sum, divide, match and predict; find out which deploy broke payments; write rules, a test, a target
# list and a relabelling.
#
# **You need:** 90 minutes, about 100 MB of memory, and the lesson `02_prometheus` behind you. `hint("m02.q1")` tells a little more each
# time, `solution("m02.q1")` asks once before it tells.

# %% setup
from monlab import archive, check, hint, solution, stack

# %%
stack.up("month")

# %% [markdown]
# Try your queries before you check them. The archive answers about June only, so a moment or a stretch of June goes with each
# question; left out, it is the last minute of the month. It holds one sample a minute, so windows begin at two minutes. Where a task
# names labels, the answer has these and no others; where it asks for one number, that number has no labels.

# %%
archive.query('up{job="postgres"}', at=archive.at(15, "09:45"))

# %%
archive.plot('sum(rate(http_requests_total{service="frontend"}[5m]))', start=archive.at(19), end=archive.at(22), unit="requests/s")

# %% [markdown]
# Three days of customers: quiet nights, busy evenings, and a sale on Saturday the 20th.
#
# ## Select, and add up

# %% [markdown] exercise: m02.q1
# **Task 1.** Which series count the failures of the frontend? Select those of `http_requests_total` whose `service` is `frontend` and
# whose `code` begins with a 5. There are several; show them as they are.

# %% solution
q1 = 'http_requests_total{service="frontend", code=~"5.."}'

# %%
check("m02.q1", q1)

# %% [markdown] exercise: m02.q2
# **Task 2.** How many requests a second does the frontend answer on each `route`, averaged over five minutes? One series a route.
# Instances restart now and then; your answer must not mind.

# %% solution
q2 = 'sum by (route) (rate(http_requests_total{service="frontend"}[5m]))'

# %%
check("m02.q2", q2)

# %% [markdown] exercise: m02.q3
# **Task 3.** What share of the frontend's requests fails (5xx), over an hour? One number from 0 to 1, without labels.

# %% solution
q3 = """
sum(rate(http_requests_total{service="frontend", code=~"5.."}[1h]))
  / sum(rate(http_requests_total{service="frontend"}[1h]))
"""

# %%
check("m02.q3", q3)

# %% [markdown] exercise: m02.q4
# **Task 4.** How many orders were placed in the last 24 hours, in the whole shop? The frontend counts them in `shop_orders_total`,
# by `result`. On some of these days an instance was restarted. One number, without labels and not rounded.

# %% solution
q4 = 'sum(increase(shop_orders_total{result="placed"}[1d]))'

# %%
check("m02.q4", q4)

# %% [markdown] exercise: m02.q5
# **Task 5.** How many bytes will be free on PostgreSQL's disk (mount point `/var/lib/postgresql`) in three days? Follow the straight line
# that fits the last 24 hours best, and keep the labels. In June somebody would have been glad of this number.

# %% solution
q5 = 'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d], 3 * 86400)'

# %%
check("m02.q5", q5)

# %% [markdown]
# ## How slow?

# %% [markdown] exercise: m02.q6
# **Task 6.** What is the 99th percentile of the time an order takes at the frontend (route `/api/orders`), over ten minutes, all
# instances together? In seconds, one number without labels.

# %% solution
q6 = """
histogram_quantile(0.99, sum by (le) (
  rate(http_request_duration_seconds_bucket{service="frontend", route="/api/orders"}[10m])
))
"""

# %%
check("m02.q6", q6)

# %% [markdown] exercise: m02.q7
# **Task 7.** What share of the orders in these buckets took at most one second, over an hour? One number without labels. Look at the
# bounds before you write one down.

# %% solution
orders = 'http_request_duration_seconds_bucket{service="frontend", route="/api/orders", le="%s"}'
q7 = f"sum(rate({orders % '1.0'}[1h])) / sum(rate({orders % '+Inf'}[1h]))"

# %%
check("m02.q7", q7)

# %% [markdown]
# ## Two sides that must meet
# An operator between two vectors pairs series whose labels are equal. What has no partner is dropped, without a word.

# %% [markdown] exercise: m02.q8
# **Task 8.** On each instance of the inventory: what share of the requests was answered with 503, over five minutes? The label
# `instance`, and no other. An instance that has not counted a 503 yet has no answer.

# %% solution
q8 = """
sum by (instance) (rate(http_requests_total{service="inventory", code="503"}[5m]))
  / sum by (instance) (rate(http_requests_total{service="inventory"}[5m]))
"""

# %%
check("m02.q8", q8)

# %% [markdown] exercise: m02.q9
# **Task 9.** What share of PostgreSQL's connections is in use? `pg_stat_database_numbackends` counts them by database, the limit is
# `pg_settings_max_connections`. Keep the label `instance`, and no other.

# %% solution
q9 = "sum by (instance) (pg_stat_database_numbackends) / on (instance) pg_settings_max_connections"

# %%
check("m02.q9", q9)

# %% [markdown] exercise: m02.q10
# **Task 10.** How many requests a second does each instance of payments answer (over five minutes), and which version does it run? The
# labels `instance` and `version`. The version is a label of `shop_build_info`, whose value is always 1.

# %% solution
q10 = """
sum by (instance) (rate(http_requests_total{service="payments"}[5m]))
  * on (instance) group_left (version) shop_build_info{service="payments"}
"""

# %%
check("m02.q10", q10)

# %% [markdown] exercise: m02.q11
# **Task 11.** Which instances of the four services are down (`up` is 0)? Leave out those that have restarted within the last hour:
# somebody is working on them. `changes(process_start_time_seconds[1h])` tells how often one did. Keep the labels of `up`.

# %% solution
q11 = """
up{job=~"frontend|gateway|payments|inventory"} == 0
  unless on (instance) changes(process_start_time_seconds[1h]) > 0
"""

# %%
check("m02.q11", q11)

# %% [markdown]
# ## Which deploy broke payments?

# %% [markdown] exercise: m02.q12
# **Task 12.** Payments failed on the 17th. For each *version* of payments, at any moment: what share of its requests was answered with
# 500, over five minutes? The label `version`, and no other.

# %% solution
version = "on (instance) group_left (version) shop_build_info"
q12 = f"""
sum by (version) (rate(http_requests_total{{service="payments", code="500"}}[5m]) * {version})
  / sum by (version) (rate(http_requests_total{{service="payments"}}[5m]) * {version})
"""

# %%
check("m02.q12", q12)

# %% [markdown] exercise: m02.q13
# **Task 13.** Several versions were rolled out that day. Which one broke payments? Draw task 12 from 13:30 to 15:30, and
# `count by (service, version) (shop_build_info)` beside it. Answer with service and version, such as `"frontend 1.3.9"`.

# %% solution
q13 = "payments 1.5.0"

# %%
check("m02.q13", q13)

# %% [markdown] exercise: m02.q14
# **Task 14.** For how many minutes of June did PostgreSQL not answer its exporter (`pg_up` is 0)? A number with its unit, such as
# `"12 min"`.

# %% solution
q14 = "45 min"

# %%
check("m02.q14", q14)

# %% [markdown]
# ## Rules
# Write YAML as a text between `"""` and `"""`. `promtool` judges it, with tests that you do not see.

# %% [markdown] exercise: m02.q15
# **Task 15.** Record the share of failed requests (5xx) of each service over five minutes, under the name
# `service:http_requests_errors:ratio_rate5m`. A rule file with one group and one rule.

# %% solution
q15 = """
groups:
  - name: shop
    rules:
      - record: service:http_requests_errors:ratio_rate5m
        expr: |
          sum by (service) (rate(http_requests_total{code=~"5.."}[5m]))
            / sum by (service) (rate(http_requests_total[5m]))
"""

# %%
check("m02.q15", q15)

# %% [markdown] exercise: m02.q16
# **Task 16.** Wake somebody when, for two minutes, more than 5 % of the requests to payments fail (5xx, over five minutes). Write an
# alerting rule `PaymentsFailing` with the label `severity: page`.

# %% solution
q16 = """
groups:
  - name: payments
    rules:
      - alert: PaymentsFailing
        expr: |
          sum(rate(http_requests_total{service="payments", code=~"5.."}[5m]))
            / sum(rate(http_requests_total{service="payments"}[5m])) > 0.05
        for: 2m
        labels:
          severity: page
        annotations:
          summary: More than 5 % of the payments fail
"""

# %%
check("m02.q16", q16)

# %% [markdown] exercise: m02.q17
# **Task 17.** Write the test of that rule: a file for `promtool test rules` with `rule_files: [rules.yml]`. It must pass on the good
# rule and notice three broken ones: one that never fires, one that fires at 3 %, one with another severity. Use `promql_expr_test` on
# `ALERTS`: annotations are not part of the task.

# %% solution
q17 = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'http_requests_total{service="payments", code="201"}', values: '0+90x30'}
      - {series: 'http_requests_total{service="payments", code="500"}', values: '0+10x30'}
    promql_expr_test:
      - expr: count by (severity) (ALERTS{alertname="PaymentsFailing", alertstate="firing"})
        eval_time: 20m
        exp_samples: [{labels: '{severity="page"}', value: 1}]
  - interval: 1m
    input_series:
      - {series: 'http_requests_total{service="payments", code="201"}', values: '0+97x30'}
      - {series: 'http_requests_total{service="payments", code="500"}', values: '0+3x30'}
    promql_expr_test:
      - {expr: 'count(ALERTS{alertname="PaymentsFailing"})', eval_time: 20m, exp_samples: []}
"""

# %%
check("m02.q17", q17)

# %% [markdown]
# ## Finding targets

# %% [markdown] exercise: m02.q18
# **Task 18.** Write the file that `file_sd_configs` reads: `frontend-1` and `frontend-2` on port 8080 with the labels `service: frontend`
# and `zone: a`, and `payments-1` on port 8082 with `service: payments` and `zone: b`.

# %% solution
q18 = """
- targets: ["frontend-1:8080", "frontend-2:8080"]
  labels: {service: frontend, zone: a}
- targets: ["payments-1:8082"]
  labels: {service: payments, zone: b}
"""

# %%
check("m02.q18", q18)

# %% [markdown] exercise: m02.q19
# **Task 19.** A discovery finds machines with `__meta_name`, `__meta_team` and `__meta_monitored` ("true" or "false"). Write
# `relabel_configs` (the list of steps alone) that scrape only what is to be monitored, show the name as `instance`, and keep the team as
# `team`.

# %% solution
q19 = """
- source_labels: [__meta_monitored]
  regex: "true"
  action: keep
- source_labels: [__meta_name]
  target_label: instance
- source_labels: [__meta_team]
  target_label: team
"""

# %%
check("m02.q19", q19)

# %% [markdown]
# ## Done
# `./lab export` writes your answers into a file that can be handed in; nothing leaves this machine by itself.

# %%
stack.down("month")

"""What counts as right in the tasks of module 2, and the mistakes that are known by name."""

from monlab.grading import (
    between,
    choice,
    every,
    measured,
    number,
    promql,
    relabelling,
    rule_test,
    rules,
    target_list,
    unit_test,
)

third_frontend = every("47m", during=between("2026-06-20 17:00", "2026-06-20 19:20"))  # an instance that comes for the rush
time_outs = every("11m", during=between("2026-06-08 18:07", "2026-06-08 18:29"))  # 504
anytime = (
    every("7h13m", during=between("2026-06-01 02:00", "2026-06-30 23:59"))  # from when an hour's window is full
    + third_frontend
    + time_outs
)
outage = every("3m", during=between("2026-06-15 09:21", "2026-06-15 10:30"))
bad_deploy = every("2m", during=between("2026-06-17 13:40", "2026-06-17 14:56"))
slow_database = every("5m", during=between("2026-06-22 12:35", "2026-06-22 15:25"))
frontend_deploy = every("1m", during=between("2026-06-09 12:58", "2026-06-09 13:18"))
leak = every("97m", during=between("2026-06-07 00:00", "2026-06-11 12:00"))

# --- selecting, rates, shares --------------------------------------------------------------------------------------------

q1 = promql(
    "m02.q1",
    reference='http_requests_total{service="frontend", code=~"5.."}',
    at=anytime,
    accepts=[
        '{__name__="http_requests_total", job="frontend", code=~"50[0-9]"}',
        'http_requests_total{code=~"5.+", instance=~"frontend-.*"}',
    ],
    rejects={
        'http_requests_total{service="frontend", code="5.."}': "`=` compares letter by letter, and no code is `5..`. A pattern needs `=~`.",
        'http_requests_total{service="frontend", code=~"5"}': "A pattern must fit the whole value, as if it stood between ^ and $. No code is only `5`.",
        'http_requests_total{code=~"5.."}': "Four services count under this name. Select `service`, too.",
        'http_requests_total{service="frontend", code!~"2.."}': "What is not 2xx is not yet 5xx: refused cards (402) and sold-out products (409) are in your answer.",
        'http_requests_total{service="frontend", code=~"4.."}': "4xx is what the shop refused for good reason. Failures of the shop are 5xx.",
        'http_requests_total{service="frontend"}': "The service is right; the codes are still all of them.",
    },
    hints=[
        "The metric is `http_requests_total`; two labels narrow it down.",
        'One matcher compares (`service="…"`), the other takes a pattern (`code=~"…"`).',
        "In a pattern, a dot stands for any one letter.",
    ],
)

q2 = promql(
    "m02.q2",
    reference='sum by (route) (rate(http_requests_total{service="frontend"}[5m]))',
    at=anytime + frontend_deploy,
    accepts=[
        'sum without (instance, method, code, job, service) (rate(http_requests_total{job="frontend"}[5m]))',
        'sum by (route) (increase(http_requests_total{service="frontend"}[5m])) / 300',
    ],
    rejects={
        'sum by (route) (increase(http_requests_total{service="frontend"}[5m]))': "That is per five minutes. Per second is asked: `rate`.",
        'sum by (route) (irate(http_requests_total{service="frontend"}[5m]))': "`irate` looks at the last two samples only. The mean of five minutes is asked.",
        'sum by (route) (rate(http_requests_total{service="frontend"}[1m]))': "A window of one minute holds one sample here, and a rate needs two: your answer is empty, without an error.",
        'rate(http_requests_total{service="frontend"}[5m])': "There is still a series for each instance and code. Add them up by route.",
        "sum by (route) (rate(http_requests_total[5m]))": "All four services are in your sum, so one order is counted again in each. Select `service`.",
        'sum(rate(http_requests_total{service="frontend"}[5m]))': "You summed the routes away. `by` names the labels that stay.",
        'sum by (route, code) (rate(http_requests_total{service="frontend"}[5m]))': "The label `code` has stayed. One series a route is asked.",
        'sum by (route) (http_requests_total{service="frontend"})': "These are counters as they stand: requests since each process began. A rate comes first.",
        'rate(sum by (route) (http_requests_total{service="frontend"})[5m:1m])': "Sum after the rate. When one instance restarts, the sum falls, and `rate` takes the fall for a restart of them all.",
    },
    hints=[
        "From a counter to a speed: `rate(…[5m])`.",
        "From many series to one a route: `sum by (…) (…)`.",
        "Rate first, then sum.",
    ],
)

q3 = promql(
    "m02.q3",
    reference='sum(rate(http_requests_total{service="frontend", code=~"5.."}[1h])) / sum(rate(http_requests_total{service="frontend"}[1h]))',
    at=anytime + outage + bad_deploy,
    accepts=[
        'sum(increase(http_requests_total{service="frontend", code=~"5.."}[1h])) / sum(increase(http_requests_total{service="frontend"}[1h]))',
        '1 - sum(rate(http_requests_total{job="frontend", code!~"5.."}[1h])) / sum(rate(http_requests_total{job="frontend"}[1h]))',
    ],
    rejects={
        'sum(rate(http_requests_total{service="frontend", code=~"5.."}[1h])) / sum(rate(http_requests_total{service="frontend", code!~"5.."}[1h]))': (
            "You divided by the good requests. A share is divided by all of them."
        ),
        'sum(rate(http_requests_total{service="frontend", code=~"5.."}[1h])) / sum(rate(http_requests_total{service="frontend", code=~"2.."}[1h]))': (
            "You divided by the answers with 2xx. All requests belong below the line, refused ones too."
        ),
        '100 * sum(rate(http_requests_total{service="frontend", code=~"5.."}[1h])) / sum(rate(http_requests_total{service="frontend"}[1h]))': (
            "That is a percentage. A share from 0 to 1 is asked; panels turn it into percent."
        ),
        'sum(rate(http_requests_total{service="frontend"}[1h])) / sum(rate(http_requests_total{service="frontend", code=~"5.."}[1h]))': (
            "Upside down: that is how many requests there are for each failure."
        ),
        'sum(http_requests_total{service="frontend", code=~"5.."}) / sum(http_requests_total{service="frontend"})': (
            "You divided counters as they stand, so the share is that of a process's whole life. Take a rate over the hour first."
        ),
        'sum(rate(http_requests_total{code=~"5.."}[1h])) / sum(rate(http_requests_total[1h]))': (
            "All services are in it: one failure is counted at each of them. Select the frontend."
        ),
        'avg(sum by (route) (rate(http_requests_total{service="frontend", code=~"5.."}[1h])) / sum by (route) (rate(http_requests_total{service="frontend"}[1h])))': (
            "You averaged the shares of the routes: a rare route then weighs as much as a busy one. Sum first, then divide."
        ),
        'sum(rate(http_requests_total{service="frontend", code!~"2.."}[1h])) / sum(rate(http_requests_total{service="frontend"}[1h]))': (
            "Refused cards and sold-out products are in your failures. Failures of the shop are 5xx."
        ),
    },
    hints=[
        "Which two counts make a share?",
        "The same selector twice, once with `code`.",
        "Sum above the line, sum below it, then divide.",
    ],
)

q4 = promql(
    "m02.q4",
    reference='sum(increase(shop_orders_total{result="placed"}[1d]))',
    at=every("25h7m", during=between("2026-06-02 00:00", "2026-06-30 23:00")) + leak,
    accepts=[
        'sum(rate(shop_orders_total{result="placed"}[1d])) * 86400',
        'sum(increase(shop_orders_total{job="frontend", result=~"placed"}[24h]))',
    ],
    rejects={
        'sum(delta(shop_orders_total{result="placed"}[1d]))': "`delta` is for gauges: after a restart, the fall of the counter is taken off your orders.",
        'sum(shop_orders_total{result="placed"} - shop_orders_total{result="placed"} offset 1d)': (
            "A difference of two samples forgets what was counted before a restart in between. `increase` does not."
        ),
        'increase(sum(shop_orders_total{result="placed"})[1d:1m])': "Sum after the increase. When one instance restarts, the sum falls, and `increase` counts the other one anew.",
        'sum(shop_orders_total{result="placed"})': "That is the counter's value: orders since the process began.",
        "sum(increase(shop_orders_total[1d]))": "Orders that were refused or failed are in it. Select `result`.",
        'increase(shop_orders_total{result="placed"}[1d])': "There is still one series an instance. The shop's orders are their sum.",
        'sum(rate(shop_orders_total{result="placed"}[1d]))': "That is orders a second. Orders of the day are asked.",
        'sum(increase(shop_orders_total{result="placed"}[1h]))': "That is the last hour. The window is a day.",
        'sum(increase(payments_total{result="captured"}[1d]))': "Captured payments are nearly, but not quite, the orders of that day: confirmations may wait. Ask the frontend's own counter.",
    },
    hints=["A counter, a window of a day, restarts taken out: which function?", "Then add up the instances."],
)

q5 = promql(
    "m02.q5",
    reference='predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d], 3 * 86400)',
    at=every("6h7m", during=between("2026-06-02 00:00", "2026-06-30 00:00")),
    accepts=[
        'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql", device="/dev/vdb1"}[24h], 259200)',
        'predict_linear(node_filesystem_avail_bytes{mountpoint=~".*/postgresql"}[1d], 72 * 60 * 60)',
    ],
    rejects={
        'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d], 3)': "`predict_linear` looks ahead in seconds, not in days.",
        'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d], 3 * 24)': "That looks 72 seconds ahead: the second argument is in seconds.",
        'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d], 3 * 24 * 60)': "That looks 72 minutes ahead: the second argument is in seconds.",
        'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d], 86400)': "That is tomorrow. Three days ahead are asked.",
        'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[3d], 3 * 86400)': "You draw the line through three days. Of the last 24 hours it is asked.",
        'node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"} + 3 * 86400 * deriv(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d])': (
            "You begin at the last sample, which may lie off the line. `predict_linear` begins on the line itself."
        ),
        'clamp_min(predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d], 3 * 86400), 0)': "Cut off at 0, nobody sees how soon the disk is full. Leave the line as it is.",
        'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1h], 3 * 86400)': (
            "You draw the line through one hour and follow it for three days: every small wave becomes a flood. Take a day."
        ),
        "predict_linear(node_filesystem_avail_bytes[1d], 3 * 86400)": "That predicts every disk. PostgreSQL's is asked.",
        'predict_linear(node_filesystem_size_bytes{mountpoint="/var/lib/postgresql"}[1d], 3 * 86400)': "The size of a disk does not change. What is still free does.",
        'node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}': "That is what is free now. Where it is heading is asked.",
        'node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"} + 3 * 86400 * rate(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql"}[1d])': (
            "`rate` is for counters: it takes each fall of this gauge for a restart, so your disk never fills."
        ),
    },
    hints=["Which function follows a gauge's line into the future?", "It wants a range of the past, and seconds of the future."],
)

# --- histograms ----------------------------------------------------------------------------------------------------------

ORDERS = 'service="frontend", route="/api/orders"'
q6 = promql(
    "m02.q6",
    reference=f"histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[10m])))",
    at=anytime + slow_database,
    accepts=[
        f"histogram_quantile(0.99, sum by (le) (increase(http_request_duration_seconds_bucket{{{ORDERS}}}[10m])))",
        'histogram_quantile(99 / 100, sum without (instance, method, code, job, service, route) (rate(http_request_duration_seconds_bucket{job="frontend", method="POST", route="/api/orders"}[10m])))',
    ],
    rejects={
        f"avg(histogram_quantile(0.99, sum by (le, instance) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[10m]))))": (
            "You averaged the quantiles of the instances. Such a mean is no quantile of anything: sum the buckets first."
        ),
        f"max(histogram_quantile(0.99, sum by (le, instance) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[10m]))))": (
            "That is the worse instance. All orders together are asked: sum the buckets first."
        ),
        f"histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{{{ORDERS}}}[10m])))": (
            "`le` is summed away, and without it there are no buckets: your answer is empty."
        ),
        f"histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[10m])))": "That is the 95th percentile.",
        f"histogram_quantile(99, sum by (le) (rate(http_request_duration_seconds_bucket{{{ORDERS}}}[10m])))": (
            "The quantile is a share from 0 to 1. Above 1 the answer is infinite."
        ),
        f"sum(rate(http_request_duration_seconds_sum{{{ORDERS}}}[10m])) / sum(rate(http_request_duration_seconds_count{{{ORDERS}}}[10m]))": (
            "That is the mean. It hides the slow hundredth that was asked about."
        ),
        f"histogram_quantile(0.99, sum by (le) (http_request_duration_seconds_bucket{{{ORDERS}}}))": (
            "Without a rate you look at all requests since each process began, so a bad hour hardly shows."
        ),
        'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{service="frontend"}[10m])))': (
            "Pages and product lists are in it, and they are quick. Select the route of orders."
        ),
    },
    hints=[
        "Buckets are counters: rate first.",
        "Sum the buckets of all instances and keep one label.",
        "`histogram_quantile(0.99, …)` comes last.",
    ],
)

q7 = promql(
    "m02.q7",
    reference=f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1.0"}}[1h])) / sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="+Inf"}}[1h]))',
    at=anytime + slow_database,
    accepts=[
        f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1.0"}}[1h])) / sum(rate(http_request_duration_seconds_count{{{ORDERS}, code="201"}}[1h]))',
        f'sum(increase(http_request_duration_seconds_bucket{{{ORDERS}, le=~"1[.]0"}}[1h])) / sum(increase(http_request_duration_seconds_bucket{{{ORDERS}, le=~".Inf"}}[1h]))',
    ],
    rejects={
        f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1"}}[1h])) / sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="+Inf"}}[1h]))': (
            'Prometheus 3 writes this bound as `le="1.0"`. The selector with `1` finds nothing, and says nothing.'
        ),
        f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1"}}[1h])) / sum(rate(http_request_duration_seconds_count{{{ORDERS}}}[1h]))': (
            'Prometheus 3 writes this bound as `le="1.0"`. The selector with `1` finds nothing, and says nothing.'
        ),
        f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1.0"}}[1h])) / sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="Inf"}}[1h]))': (
            'The bucket of all requests is written `le="+Inf"`. The selector with `Inf` finds nothing, and says nothing.'
        ),
        f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1.0"}}[1h])) / sum(rate(http_request_duration_seconds_bucket{{{ORDERS}}}[1h]))': (
            "Below the line you added up all buckets. Each holds the smaller ones again; all requests are in `+Inf`."
        ),
        f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1.0"}}[1h])) / sum(rate(http_request_duration_seconds_count{{{ORDERS}}}[1h]))': (
            "Below the line are refused and failed orders, too, and this shop keeps buckets only of those that went well. Compare like with like."
        ),
        f'sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="0.5"}}[1h])) / sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="+Inf"}}[1h]))': (
            "That is the share within half a second."
        ),
        f'1 - sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="1.0"}}[1h])) / sum(rate(http_request_duration_seconds_bucket{{{ORDERS}, le="+Inf"}}[1h]))': (
            "That is the share that took longer."
        ),
        'sum(rate(http_request_duration_seconds_bucket{service="frontend", le="1.0"}[1h])) / sum(rate(http_request_duration_seconds_bucket{service="frontend", le="+Inf"}[1h]))': (
            "Every route is in it. Orders are asked."
        ),
    },
    hints=[
        "A bucket counts all that took at most `le` seconds.",
        "One bucket over the bucket that holds everything.",
        "Look at the bounds: `archive.query('count by (le) (http_request_duration_seconds_bucket)')`.",
    ],
)

# --- vector matching -----------------------------------------------------------------------------------------------------

q8 = promql(
    "m02.q8",
    reference='sum by (instance) (rate(http_requests_total{service="inventory", code="503"}[5m])) / sum by (instance) (rate(http_requests_total{service="inventory"}[5m]))',
    at=outage + every("9h13m", during=between("2026-06-01 02:00", "2026-06-30 23:59")),
    accepts=[
        'sum by (instance) (rate(http_requests_total{job="inventory", code="503"}[5m])) / on (instance) sum by (instance, job) (rate(http_requests_total{job="inventory"}[5m]))',
        '1 / (sum by (instance) (rate(http_requests_total{service="inventory"}[5m])) / sum by (instance) (rate(http_requests_total{service="inventory", code=~"503"}[5m])))',
    ],
    rejects={
        'rate(http_requests_total{service="inventory", code="503"}[5m]) / rate(http_requests_total{service="inventory"}[5m])': (
            "Both sides still have `code` and `route`, so each 503 series met itself: the answer is 1, or NaN, everywhere. Sum both sides first."
        ),
        'sum by (instance) (rate(http_requests_total{service="inventory", code="503"}[5m])) / rate(http_requests_total{service="inventory"}[5m])': (
            "After your sums the two sides have different labels, so nothing matches and the answer is empty. Sum both by `instance`."
        ),
        'sum by (instance, code) (rate(http_requests_total{service="inventory", code="503"}[5m])) / on (instance) group_left sum by (instance) (rate(http_requests_total{service="inventory"}[5m]))': (
            "Right numbers, with the label `code` left over."
        ),
        'sum(rate(http_requests_total{service="inventory", code="503"}[5m])) / sum(rate(http_requests_total{service="inventory"}[5m]))': (
            "That is the service as a whole. Each instance is asked."
        ),
        'sum by (instance) (rate(http_requests_total{service="inventory", code="503"}[5m])) / on () group_left sum(rate(http_requests_total{service="inventory"}[5m]))': (
            "You divided each instance by the whole service, so its share looks half as large."
        ),
        '1 - sum by (instance) (rate(http_requests_total{service="inventory", code!="503"}[5m])) / sum by (instance) (rate(http_requests_total{service="inventory"}[5m]))': (
            'Before its first 503 an instance has no such series. Your answer says 0 there; this task wants none, so that "no failures" and "not counted" stay apart.'
        ),
        'sum by (instance) (rate(http_requests_total{service="inventory", code="503"}[5m])) / sum by (instance) (rate(http_requests_total{service="inventory", code!="503"}[5m]))': (
            "You divided by the good requests of the instance."
        ),
    },
    hints=[
        "Which labels do both sides have after your `sum`?",
        "Two sides match when all their labels are equal.",
        "`sum by (instance)` on both sides.",
    ],
)

q9 = promql(
    "m02.q9",
    reference="sum by (instance) (pg_stat_database_numbackends) / on (instance) pg_settings_max_connections",
    at=anytime + slow_database,
    accepts=[
        "sum without (datname, job) (pg_stat_database_numbackends) / sum without (job) (pg_settings_max_connections)",
        "sum by (instance) (pg_stat_database_numbackends / on (instance) group_left pg_settings_max_connections)",
    ],
    rejects={
        "sum by (instance) (pg_stat_database_numbackends) / pg_settings_max_connections": (
            "After your sum the left side has `instance` alone, and the limit has `job` as well, so nothing matches. Say which labels count."
        ),
        "pg_stat_database_numbackends / pg_settings_max_connections": (
            "The left side has a label `datname` that the right side lacks, so nothing matches. Say which labels count: `on` or `ignoring`."
        ),
        "pg_stat_database_numbackends / ignoring (datname) group_left pg_settings_max_connections": (
            "That is each database for itself. The limit is one for all of them: sum the connections first."
        ),
        "pg_stat_database_numbackends / on (instance) pg_settings_max_connections": (
            "Several databases on the left meet one limit on the right, and Prometheus wants that said. Sum the connections first."
        ),
        'pg_stat_database_numbackends{datname="shop"} / on (instance) pg_settings_max_connections': "That is the largest database alone, the shop's. Others take connections, too.",
        "sum(pg_stat_database_numbackends) / on () pg_settings_max_connections": "The number is right, and the label `instance` is gone: it was to stay.",
        "pg_settings_max_connections / on (instance) sum by (instance) (pg_stat_database_numbackends)": "Upside down: the answer would be above 1.",
        "100 * sum by (instance) (pg_stat_database_numbackends) / on (instance) pg_settings_max_connections": "That is a percentage. A share is asked.",
        'inventory_db_connections{state="used"} / on (instance) inventory_db_connections_max': "That is the pool of the inventory. PostgreSQL's own limit is asked.",
    },
    hints=[
        "Look at both series, one after the other: which label does only one of them have?",
        "`on (…)` names the labels that must be equal, `ignoring (…)` those that need not.",
    ],
)

q10 = promql(
    "m02.q10",
    reference='sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * on (instance) group_left (version) shop_build_info{service="payments"}',
    at=anytime + bad_deploy,
    accepts=[
        'sum by (instance) (rate(http_requests_total{job="payments"}[5m])) * on (instance) group_left (version) shop_build_info',
        'sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * on (instance) group_left (version) sum by (instance, version) (shop_build_info{job="payments"})',
    ],
    rejects={
        'sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * on (instance) shop_build_info{service="payments"}': (
            "The numbers are right and `version` is missing: `group_left (version)` brings it over."
        ),
        'sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * shop_build_info{service="payments"}': (
            "The two sides agree in `instance` only. Say so with `on (instance)`; without it nothing matches."
        ),
        'rate(http_requests_total{service="payments"}[5m]) * on (instance) group_left (version) shop_build_info{service="payments"}': (
            "There is still a series for each route and code. Sum by instance first."
        ),
        'sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * on (instance) group_right () shop_build_info{service="payments"}': (
            "`group_right` keeps all labels of the right side: `job`, `language` and `service` came along. Only `version` was asked."
        ),
        'shop_build_info{service="payments"}': "That is the version of each instance, and 1. The requests are missing.",
        'sum by (version) (sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * on (instance) group_left (version) shop_build_info{service="payments"})': (
            "You summed the instances of a version. Each instance is asked, with its version."
        ),
        'sum by (instance) (rate(http_requests_total{service="payments"}[5m])) + on (instance) group_left (version) shop_build_info{service="payments"}': (
            "`shop_build_info` is always 1, so adding it adds one request a second. Multiply."
        ),
        'sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * on (service) group_left (version) shop_build_info{service="payments"}': (
            "What stands in `on (…)` must be a label that both sides have and that tells instances apart: `instance`."
        ),
    },
    hints=[
        "`shop_build_info` is 1 for each instance, with its version as a label: multiplying by it changes no number.",
        "`on (instance)` says which labels must be equal.",
        "`group_left (version)` copies a label from the right side.",
    ],
)

q11 = promql(
    "m02.q11",
    reference='up{job=~"frontend|gateway|payments|inventory"} == 0 unless on (instance) changes(process_start_time_seconds[1h]) > 0',
    at=every("1m", during=between("2026-06-26 15:50", "2026-06-26 16:15"))
    + every("1m", during=between("2026-06-17 14:00", "2026-06-17 15:00"))
    + every("1m", during=between("2026-06-06 08:50", "2026-06-06 09:40"))
    + every("1m", during=between("2026-06-11 09:55", "2026-06-11 10:15"))  # restarted the day before
    + every("1m", during=between("2026-06-13 22:35", "2026-06-13 22:55")),
    accepts=[
        '(up{service!=""} == 0) unless on (instance) (changes(process_start_time_seconds[1h]) != 0)',
        'up{job=~"frontend|gateway|payments|inventory"} == 0 unless on (instance, job) changes(process_start_time_seconds[1h]) >= 1',
    ],
    rejects={
        'up{job=~"frontend|gateway|payments|inventory"} == 0': (
            "That is all that is down: nothing was left out. A process that is down shows no start time now, so look back, and far enough: `changes(…[1h])`."
        ),
        'up{job=~"frontend|gateway|payments|inventory"} == 0 and on (instance) changes(process_start_time_seconds[1h]) > 0': (
            "You kept those that have restarted. They were to be left out: `unless`."
        ),
        'up{job=~"frontend|gateway|payments|inventory"} == 0 unless on (instance) changes(process_start_time_seconds[1d]) > 0': (
            "You left out those that restarted yesterday, too. Nobody is working on them any more: an hour is asked."
        ),
        "up == 0 unless on (instance) changes(process_start_time_seconds[1h]) > 0": "The exporters and hosts are in it. Only the four services of the shop are asked.",
        'up{job=~"frontend|gateway|payments|inventory"} unless on (instance) changes(process_start_time_seconds[1h]) > 0': (
            "Targets that are up are in it. Compare with 0 first."
        ),
        'up{job=~"frontend|gateway|payments|inventory"} == bool 0 unless on (instance) changes(process_start_time_seconds[1h]) > 0': (
            "With `bool` a comparison answers 0 or 1 for every target and filters none."
        ),
        'up{job=~"frontend|gateway|payments|inventory"} == 0 unless changes(process_start_time_seconds[1h]) >= 0': (
            "Every target has `changes` of 0 or more, so you left all of them out."
        ),
    },
    hints=[
        "Left side: what is down now. Right side: what has restarted.",
        "`changes(x[1h])` counts how often a gauge changed; a start time changes at each start.",
        "Which set operator keeps the left side where the right one has nothing?",
    ],
)

q12 = promql(
    "m02.q12",
    reference='sum by (version) (rate(http_requests_total{service="payments", code="500"}[5m]) * on (instance) group_left (version) shop_build_info) / sum by (version) (rate(http_requests_total{service="payments"}[5m]) * on (instance) group_left (version) shop_build_info)',
    at=bad_deploy + every("11h17m", during=between("2026-06-01 02:00", "2026-06-30 23:59")),
    accepts=[
        'sum by (version) (sum by (instance) (rate(http_requests_total{job="payments", code="500"}[5m])) * on (instance) group_left (version) shop_build_info) / sum by (version) (sum by (instance) (rate(http_requests_total{job="payments"}[5m])) * on (instance) group_left (version) shop_build_info)',
        'sum by (version) (rate(http_requests_total{service="payments", code="500"}[5m]) * on (instance, job) group_left (version) shop_build_info{service="payments"}) / on (version) sum by (version) (rate(http_requests_total{service="payments"}[5m]) * on (instance, job) group_left (version) shop_build_info{service="payments"})',
    ],
    rejects={
        'sum by (version) (rate(http_requests_total{service="payments", code="500"}[5m]) * on (instance) group_left (version) shop_build_info)': (
            "That is failures a second. Their share is asked: a version that serves little would look good."
        ),
        'sum by (instance) (rate(http_requests_total{service="payments", code="500"}[5m])) / sum by (instance) (rate(http_requests_total{service="payments"}[5m]))': (
            "That is each instance. Which version it ran has to be brought over from `shop_build_info`."
        ),
        'sum(rate(http_requests_total{service="payments", code="500"}[5m])) / sum(rate(http_requests_total{service="payments"}[5m]))': (
            "That is payments as a whole. It tells that something broke, and not which version."
        ),
        'sum by (version) (rate(http_requests_total{service="payments", code="500"}[5m]) * on (instance) group_left (version) shop_build_info) / on () group_left sum(rate(http_requests_total{service="payments"}[5m]))': (
            "You divided by the requests of all versions. Each version has its own below the line."
        ),
        'sum by (version) (rate(http_requests_total{service="payments", code="500"}[5m]) * on (instance) group_left (version) shop_build_info) / sum by (version) (rate(http_requests_total{service="payments", code!="500"}[5m]) * on (instance) group_left (version) shop_build_info)': (
            "Below the line are only the requests that went well."
        ),
        'avg by (version) (sum by (instance) (rate(http_requests_total{service="payments", code="500"}[5m])) / sum by (instance) (rate(http_requests_total{service="payments"}[5m])) * on (instance) group_left (version) shop_build_info)': (
            "You averaged the shares of the instances. Sum above and below the line first: instances need not be equally busy."
        ),
    },
    hints=[
        "Task 10 gave each instance its version.",
        "Bring `version` over above the line and below it.",
        "Then sum both sides by version, and divide.",
    ],
)

q13 = choice(
    "m02.q13",
    options=["gateway 1.4.2", "inventory 1.4.1", "payments 1.4.1", "payments 1.5.0", "payments 1.5.1"],
    right="payments 1.5.0",
    accepts=["Payments 1.5.0", " `payments 1.5.0` ", "payments-1.5.0", "payments v1.5.0"],
    rejects={
        "inventory 1.4.1": "It was rolled out twenty minutes earlier and is innocent: inventory failed no more than before.",
        "payments 1.4.1": "That is what ran before, and what was rolled back to.",
        "payments 1.5.1": "It came a week later.",
        "gateway 1.4.2": "It mended the leak on the 11th. It passes failures of payments on, and makes none.",
    },
    hints=["Draw task 12 over the 17th, from 13:30 to 15:30."],
    solution="`payments 1.5.0`, rolled out at 14:05 on the 17th and rolled back at 14:40: it answered about a quarter of the payments with 500.",
)

# --- a number ------------------------------------------------------------------------------------------------------------

q14 = number(
    "m02.q14",
    expected=measured("count_over_time((pg_up == 0)[30d:1m])", at="2026-06-30 23:59"),
    unit="min",
    accepts=[
        "45 min",
        45,
        "2700 s",
        "0.75 h",
        "about 45 minutes.",
        measured("sum_over_time((1 - pg_up)[30d:1m])", at="2026-06-30 23:59"),
    ],
    rejects=[
        (
            "3 min",
            "For three minutes on the 9th the exporter was not scraped: `up` was 0. Whether PostgreSQL answered is `pg_up`.",
        ),
        ("48 min", "You counted the minutes in which the exporter itself was not scraped, too."),
        ("43152 min", "That is how long it was up."),
        ("1 min", "You counted how often it went down, or asked with too coarse a step."),
    ],
    hints=[
        "`pg_up` is 1 or 0, once a minute.",
        "A subquery makes a range of an expression: `(pg_up == 0)[30d:1m]`.",
        "How many samples has it?",
    ],
    solution="```promql\ncount_over_time((pg_up == 0)[30d:1m])\n```\nasked at the end of June: 45 samples, one a minute.",
)

# --- rules ---------------------------------------------------------------------------------------------------------------

RECORDING = """
groups:
  - name: shop
    rules:
      - record: service:http_requests_errors:ratio_rate5m
        expr: |
          sum by (service) (rate(http_requests_total{{code=~"{codes}"}}[{window}]))
            /
          sum by (service) (rate(http_requests_total[{window}]))
"""
RATIO = RECORDING.format(codes="5..", window="5m")
TWO_SERVICES = """
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'http_requests_total{job="gateway", service="gateway", instance="1", code="200"}', values: '0+90x30'}
      - {series: 'http_requests_total{job="gateway", service="gateway", instance="1", code="502"}', values: '0+4x30'}
      - {series: 'http_requests_total{job="gateway", service="gateway", instance="1", code="504"}', values: '0+6x30'}
      - {series: 'http_requests_total{job="gateway", service="gateway", instance="2", code="200"}', values: '0+100x10 100+100x19'}
      - {series: 'http_requests_total{job="frontend", service="frontend", instance="3", code="200"}', values: '0+60x30'}
      - {series: 'http_requests_total{job="frontend", service="frontend", instance="3", code="404"}', values: '0+20x30'}
      - {series: 'http_requests_total{job="frontend", service="frontend", instance="3", code="500"}', values: '0+20x20 400x10'}
    promql_expr_test:
"""
RECORDED = "      - {{expr: '{expr}', eval_time: {at}, exp_samples: [{samples}]}}\n"
NAME = "service:http_requests_errors:ratio_rate5m"

q15 = rules(
    "m02.q15",
    reference=RATIO,
    tests=[
        unit_test(
            "Nothing is recorded, with one scrape a minute. Is it `record:`? Does each selector find something? Do both sides of the division match? Does the window hold two samples?",
            TWO_SERVICES
            + RECORDED.format(expr=f'count({{__name__="{NAME}"}}) > bool 0', at="15m", samples='{labels: "{}", value: 1}'),
        ),
        unit_test(
            "One series a service is wanted, with `service` as its only label.",
            TWO_SERVICES
            + RECORDED.format(
                expr=f"count by (service) ({NAME})",
                at="15m",
                samples='{labels: "{service=\\"gateway\\"}", value: 1}, {labels: "{service=\\"frontend\\"}", value: 1}',
            )
            + RECORDED.format(
                expr=f"{NAME} * 0",  # all its labels, whatever they are
                at="15m",
                samples='{labels: "{service=\\"gateway\\"}", value: 0}, {labels: "{service=\\"frontend\\"}", value: 0}',
            ),
        ),
        unit_test(
            "The share of failed requests (5xx) of the frontend should be 0.2 in this test: 20 of 100 requests a minute.",
            TWO_SERVICES
            + RECORDED.format(
                expr=f'round({NAME}{{service="frontend"}}, 0.001)',
                at="15m",
                samples='{labels: "{service=\\"frontend\\"}", value: 0.2}',
            ),
        ),
        unit_test(
            "Of the gateway 10 of 200 requests a minute fail, with 502 and 504. Right after one of its instances restarts, its share should still be 0.05.",
            TWO_SERVICES
            + RECORDED.format(
                expr=f'round({NAME}{{service="gateway"}}, 0.001)',
                at="12m",
                samples='{labels: "{service=\\"gateway\\"}", value: 0.05}',
            ),
        ),
        unit_test(
            "The frontend's failures end after 20 minutes; two minutes later a window of five minutes still holds some of them, and six minutes later none.",
            TWO_SERVICES
            + RECORDED.format(
                expr=f'round({NAME}{{service="frontend"}}, 0.01)',
                at="22m",
                samples='{labels: "{service=\\"frontend\\"}", value: 0.11}',
            )
            + RECORDED.format(
                expr=f'sum by (service) ({NAME}{{service="frontend"}})',
                at="26m",
                samples='{labels: "{service=\\"frontend\\"}", value: 0}',
            ),
        ),
    ],
    accepts=[
        RECORDING.format(codes="5.+", window="5m").replace("name: shop", "name: shop-recordings"),
        RATIO.replace(
            "sum by (service) (rate(http_requests_total[5m]))", "sum by (service) (increase(http_requests_total[5m]) / 300)"
        ),
    ],
    rejects=[
        (
            RECORDING.format(codes="5..", window="1m"),
            "Nothing is recorded: is it `record:`, does each selector find something (a pattern needs `=~`), do both sides match? A window of one minute holds one sample here, and a rate needs two.",
        ),
        (RECORDING.format(codes="5..", window="15m"), "The name says `rate5m` and the window is another one."),
        (RECORDING.format(codes="[45]..", window="5m"), "Requests that were refused (4xx) are among your failures."),
        (
            RATIO.replace("by (service)", "by (service, instance)"),
            "`instance` is left: a recording at the level of a service has one series a service.",
        ),
        (
            RATIO.replace("rate(http_requests_total", "(http_requests_total").replace("[5m]", ""),
            "Counters as they stand were divided. Take the rate first.",
        ),
        (
            RATIO.replace('code=~"5.."', 'code="500"'),
            "A failure may have another code than 500, such as 504, so a service that fails otherwise is not recorded. All of 5xx count.",
        ),
        (
            RATIO.replace("        expr: |", "        labels: {team: shop}\n        expr: |"),
            "The series has a label more than `service`, from `labels:`.",
        ),
        (RATIO.replace("ratio_rate5m", "rate5m"), "The rule does not have the name that was asked for."),
    ],
    hints=[
        "A rule has `record:` with a name and `expr:` with a query, in a group.",
        "The expression is that of task 3, by service and over five minutes.",
    ],
)

ALERT = """
groups:
  - name: payments
    rules:
      - alert: PaymentsFailing
        expr: |
          sum(rate(http_requests_total{{service="payments", code=~"5.."}}[5m]))
            / sum(rate(http_requests_total{{service="payments"}}[5m])) > {limit}
        for: {wait}
        labels:
          severity: {severity}
        annotations:
          summary: More than 5 % of the payments fail
"""
PAGES = ALERT.format(limit="0.05", wait="2m", severity="page")
MINUTE = """
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
{series}
    promql_expr_test:
"""
FIRES = '      - {{expr: \'count(ALERTS{{alertname="PaymentsFailing", alertstate="{state}"{more}}})\', eval_time: {at}, exp_samples: [{samples}]}}\n'
YES = '{labels: "{}", value: 1}'


def minutes(**codes: str) -> str:
    """A test with payments' counters by code: what each grows by in a minute, or its `values`. `other` is the inventory's 503,
    `busy` the frontend's 200."""
    lines = []
    for name, grows in codes.items():
        code, _, instance = name.removeprefix("code").partition("_")
        service, code = {"other": ("inventory", "503"), "busy": ("frontend", "200")}.get(name, ("payments", code))
        labels = f'job="{service}", service="{service}", instance="{service}-{instance or 1}", code="{code}"'
        lines.append(
            f"      - {{series: 'http_requests_total{{{labels}}}', values: '{grows if 'x' in grows else f'0+{grows}x60'}'}}"
        )
    return MINUTE.format(series="\n".join(lines))


def fires(at: str, samples: str, state: str = "firing", more: str = "") -> str:
    return FIRES.format(at=at, samples=samples, state=state, more=more)


def silent(at: str) -> str:
    return fires(at, "") + fires(at, "", "pending")


FAILING = minutes(code201="84", code402="10", code500="1.5", code502="1.5", code503="1.5", code504="1.5")
# Eight in a hundred fail from the 30th minute on: over five minutes they are above 5 % in the 33rd, over four in the 32nd.
SLOWLY = minutes(code201="9000+100x30 12092+92x30", code500="1000x30 1008+8x30")
# The busiest instance restarts in the 31st minute, and the one that fails does not.
RESTARTS = minutes(code201="0+80x30 0+80x30", code201_2="0+10x60", code500_2="0+10x60", busy="5000")
BEGINS = minutes(code201="0+50x60", code500="0x10 50+50x10 500x40")

q16 = rules(
    "m02.q16",
    reference=PAGES,
    tests=[
        unit_test(
            "When 6 % of the requests to payments fail for long (500, 502, 503 and 504 alike), one alert should fire, with `severity: page`.",
            FAILING + fires("30m", YES) + fires("30m", YES, more=', severity="page"'),
        ),
        unit_test(
            "Failures of another service are not its business: without one of payments it should be silent. Does `expr` compare?",
            minutes(code201="100", code500="0", other="90") + silent("30m")
        ),
        unit_test(
            "Refused cards (402) are no failures of the shop.", minutes(code201="90", code402="10", code500="0") + silent("30m")
        ),
        unit_test(
            "4.9 % of failures, beside refused cards (402), are below the limit of 5 % of all requests to payments.",
            minutes(code201="851", code402="100", code500="49") + silent("30m"),
        ),
        unit_test(
            "Two requests a minute, 5.2 % of them failing, are above 5 % all the same: a share is wanted.",
            minutes(code201="1.896", code500="0.104") + fires("30m", YES),
        ),
        unit_test(
            "One instance with 8 % failures beside a busy one with none: of all payments 2 % fail, and it should be silent.",
            minutes(code201="460", code500="40", code201_2="1500", code500_2="0") + silent("30m"),
        ),
        unit_test(
            "When a tenth fails beside a busy frontend, it should fire, and go on when an instance of payments restarts.",
            RESTARTS + fires("29m", YES) + fires("32m", YES),
        ),
        unit_test(
            "When 8 % begin to fail, the last five minutes are above the limit three minutes later, and it should fire two minutes after that. Yours comes earlier or later: look at the window and at `for`.",
            SLOWLY + silent("32m") + fires("33m", YES, "pending") + fires("34m", YES, "pending") + fires("35m", YES) + fires("39m", YES),
        ),
        unit_test("When the failures have been over for ten minutes, it should be over.", BEGINS + silent("31m")),
        unit_test("Without any payments there is no share, and no alert.", minutes(other="0") + silent("30m")),
    ],
    accepts=[
        PAGES.replace("> 0.05", "> 5 / 100").replace("for: 2m", "for: 120s"),
        PAGES.replace(
            '/ sum(rate(http_requests_total{service="payments"}[5m])) > 0.05',
            '> 0.05 * sum(rate(http_requests_total{service="payments"}[5m]))',
        ),
        PAGES.replace("service=", "job="),
    ],
    rejects=[
        (
            ALERT.format(limit="5", wait="2m", severity="page"),
            "It does not fire when it should, not even while a tenth fails. A share lies between 0 and 1, so 5 % is 0.05; look at window and selectors, too.",
        ),
        (
            ALERT.format(limit="0.05", wait="0s", severity="page"),
            "It fires at once. Without `for` one bad minute wakes somebody: wait two minutes.",
        ),
        (ALERT.format(limit="0.05", wait="1m", severity="page"), "It waits for one minute. Two are asked."),
        *(
            (
                PAGES.replace("> 0.05", compared),
                "It fires whether something fails or not. `expr` must compare with the limit, and without `bool`: that gives 0 where all is well, and 0 is an alert, too.",
            )
            for compared in ("", "> bool 0.05")
        ),
        (PAGES.replace("[5m]", "[10m]"), "It looks back longer than five minutes, so it comes late and stays long."),
        *(
            (
                PAGES.replace(old, new),
                "It looks back less than five minutes (`irate` takes two samples), so one bad minute weighs too much.",
            )
            for old, new in (("[5m]", "[2m]"), ("rate(", "irate("))
        ),
        (PAGES.replace("rate(", "delta("), "`delta` is for gauges: when an instance restarts, its requests are taken off."),
        (
            PAGES.replace('{service="payments"}', ""),
            "Below the line are the requests of all services, so payments would have to fail far more than that.",
        ),
        (
            ALERT.format(limit="0.05", wait="30m", severity="page"),
            "It waits so long that the customers are gone. Wait two minutes.",
        ),
        (ALERT.format(limit="0.01", wait="2m", severity="page"), "The limit is lower than asked: it fires at 2 % already."),
        (ALERT.format(limit="0.09", wait="2m", severity="page"), "The limit is higher than asked: at 5.2 % it is silent."),
        (ALERT.format(limit="0.05", wait="2m", severity="warning"), "`severity` should be `page`."),
        (
            PAGES.replace('service="payments", ', "").replace('{service="payments"}', ""),
            "Every service's requests are in it, so trouble of the inventory pages you for payments.",
        ),
        (
            PAGES.replace('/ sum(rate(http_requests_total{service="payments"}[5m]))', ""),
            "That is failures a second, not a share: on a busy day it fires for nothing, on a quiet one never.",
        ),
        (
            PAGES.replace('{service="payments"}[5m]', '{service="payments", code!~"5.."}[5m]'),
            "It fires at 4.9 %. Did you divide by the requests that did not fail, and not by all of them? Or is the limit lower than asked?",
        ),
        (
            PAGES.replace('code=~"5.."', 'code=~"[45].."'),
            "Refused cards (402) are among your failures. The shop's own failures are 5xx.",
        ),
        (PAGES.replace('code=~"5.."', 'code="500"'), "Not all failures count together: whatever their code from 500 on, they belong into one sum."),
        (PAGES.replace("sum(", "sum by (instance) ("), "You judge each instance for itself. All payments together are asked."),
    ],
    hints=[
        "`expr` is a share and a comparison.",
        "`for:` says how long it must hold.",
        "Labels of the rule become labels of the alert.",
    ],
)

TEST = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'http_requests_total{service="payments", instance="1", code="201"}'
        values: '0+90x30'
      - series: 'http_requests_total{service="payments", instance="1", code="500"}'
        values: '0+10x30'
    promql_expr_test:
      - expr: count by (severity) (ALERTS{alertname="PaymentsFailing", alertstate="firing"})
        eval_time: 20m
        exp_samples:
          - labels: '{severity="page"}'
            value: 1
  - interval: 1m
    input_series:
      - series: 'http_requests_total{service="payments", instance="1", code="201"}'
        values: '0+97x30'
      - series: 'http_requests_total{service="payments", instance="1", code="500"}'
        values: '0+3x30'
    promql_expr_test:
      - expr: count(ALERTS{alertname="PaymentsFailing"})
        eval_time: 20m
        exp_samples: []
"""
FIRST_CASE, SECOND_CASE = TEST.split("  - interval: 1m\n")[1:]
HEAD = "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n"

q17 = rule_test(
    "m02.q17",
    rules=PAGES,
    broken={
        ALERT.format(
            limit="5", wait="2m", severity="page"
        ): "A rule that can never fire passes your test. Let it see a failure that must fire.",
        ALERT.format(
            limit="0.01", wait="2m", severity="page"
        ): "A rule that fires at 3 % passes your test. Add a case below the limit.",
        ALERT.format(
            limit="0.05", wait="2m", severity="warning"
        ): "A rule with another severity passes your test. Look at the label `severity`, too.",
    },
    reference=TEST,
    accepts=[
        TEST.replace("x30", "x45").replace("20m", "25m"),
        HEAD + "".join(f"  - interval: 1m\n{case}" for case in (SECOND_CASE, FIRST_CASE)),
    ],
    rejects=[
        (
            HEAD + f"  - interval: 1m\n{FIRST_CASE}",
            "No case of yours says that the alert must be silent at 3 %, so a rule with too low a limit passes. Add one.",
        ),
        (HEAD + f"  - interval: 1m\n{SECOND_CASE}", "Only silence is tested, and a rule that never fires is silent, too."),
        (
            TEST.replace("count by (severity)", "count").replace("'{severity=\"page\"}'", "'{}'"),
            "You count the alert and do not look at its severity.",
        ),
        (
            TEST.replace(
                "eval_time: 20m\n        exp_samples:\n          - labels",
                "eval_time: 1m\n        exp_samples:\n          - labels",
            ),
            "One minute after the start nothing can fire yet: the rule waits for two.",
        ),
    ],
    hints=[
        "Two cases: one that must fire, one that must not.",
        "`'0+10x30'` is a counter: 0, 10, 20 and so on, thirty times.",
        "`ALERTS` is the series that Prometheus writes for each alert.",
    ],
)

# --- finding targets -----------------------------------------------------------------------------------------------------

TARGETS = """
- targets: ["frontend-1:8080", "frontend-2:8080"]
  labels:
    service: frontend
    zone: a
- targets: ["payments-1:8082"]
  labels:
    service: payments
    zone: b
"""
q18 = target_list(
    "m02.q18",
    reference=TARGETS,
    accepts=[
        '[{"targets": ["payments-1:8082"], "labels": {"zone": "b", "service": "payments"}}, {"targets": ["frontend-1:8080", "frontend-2:8080"], "labels": {"service": "frontend", "zone": "a"}}]',
        "- {targets: ['frontend-1:8080'], labels: {service: frontend, zone: a}}\n- {targets: ['frontend-2:8080'], labels: {service: frontend, zone: a}}\n- {targets: ['payments-1:8082'], labels: {service: payments, zone: b}}",
    ],
    rejects=[
        (
            TARGETS.replace("frontend-1:8080", "http://frontend-1:8080"),
            "A target is host:port. The scheme and the path belong to the scrape job.",
        ),
        (
            TARGETS.replace('"frontend-1:8080", "frontend-2:8080"', '"frontend-1", "frontend-2"'),
            "The port is missing: without it Prometheus asks port 80.",
        ),
        (TARGETS.replace("zone: b", "zone: a"), "payments-1 stands in zone b."),
        (TARGETS.replace("    zone: a\n", ""), "The label `zone` is missing at the frontend."),
        (TARGETS.partition('- targets: ["payments')[0], "payments-1 is missing."),
        (TARGETS.replace('"frontend-1:8080", "frontend-2:8080"', '"frontend-1:8080"'), "frontend-2 is missing."),
    ],
    hints=["A list of groups; each has `targets` and `labels`.", "A target is `host:port`, in quotation marks."],
)

DISCOVERED = [
    {"__address__": "10.0.0.11:8080", "__meta_name": "frontend-1", "__meta_monitored": "true", "__meta_team": "web"},
    {"__address__": "10.0.0.12:8080", "__meta_name": "frontend-2", "__meta_monitored": "true", "__meta_team": "web"},
    {"__address__": "10.0.0.21:8082", "__meta_name": "payments-1", "__meta_monitored": "true", "__meta_team": "money"},
    {"__address__": "10.0.0.31:8090", "__meta_name": "ledger", "__meta_monitored": "true", "__meta_team": "books"},
    {"__address__": "10.0.0.13:8080", "__meta_name": "frontend-3", "__meta_monitored": "false", "__meta_team": "web"},
    {"__address__": "10.0.0.99:8080", "__meta_name": "scratch", "__meta_monitored": "false", "__meta_team": "web"},
]
STEPS = """
- source_labels: [__meta_monitored]
  regex: "true"
  action: keep
- source_labels: [__meta_name]
  target_label: instance
- source_labels: [__meta_team]
  target_label: team
"""
q19 = relabelling(
    "m02.q19",
    discovered=DISCOVERED,
    reference=STEPS,
    accepts=[
        'relabel_configs:\n  - {source_labels: [__meta_monitored], regex: "false", action: drop}\n  - {source_labels: [__meta_name], target_label: instance}\n  - {action: labelmap, regex: "__meta_(team)"}',
        "- {source_labels: [__meta_team], target_label: team}\n- {source_labels: [__meta_name], regex: (.*), replacement: $1, target_label: instance}\n- {source_labels: [__meta_monitored], regex: true, action: keep}",
    ],
    rejects=[
        (
            STEPS.replace("action: keep", "action: drop"),
            "Only targets that nobody wants are left: `drop` throws away what matches, and `keep` the rest.",
        ),
        (
            STEPS.partition("- source_labels: [__meta_name]")[2].join(["- source_labels: [__meta_name]", ""]),
            "What is not to be monitored is still scraped.",
        ),
        (
            STEPS.replace("target_label: instance", "target_label: __address__"),
            "You changed the address itself, so Prometheus would scrape a name without a port.",
        ),
        (STEPS.replace("target_label: instance", "target_label: name"), "The name belongs into `instance`."),
        (
            STEPS.partition("- source_labels: [__meta_team]")[0],
            "The label `team` is missing. Labels that begin with `__` are gone after relabelling.",
        ),
        (STEPS.replace("[__meta_team]", "[__meta_name]"), "`team` holds the name of the machine."),
        (
            STEPS.replace("- source_labels: [__meta_name]\n  target_label: instance\n", ""),
            "No step says what `instance` is, so it is the address. The name was asked.",
        ),
        (
            STEPS.replace("__meta_monitored", "__meta_name").replace('"true"', "(frontend|payments)-.*"),
            "You chose by name. Other machines have other names: whether one is to be monitored says `__meta_monitored`.",
        ),
        (
            STEPS.replace("__meta_monitored", "__meta_name").replace('"true"', "scratch").replace("keep", "drop"),
            "You left out one machine by its name. Which others are not to be monitored says `__meta_monitored`.",
        ),
        (STEPS.replace("target_label: team", 'regex: (web|money)\n  target_label: team'), "Your pattern lists the teams of today. Copy the label as it is."),
        (
            STEPS.replace('regex: "true"', 'regex: "tru"'),
            "Nothing is left to scrape: `keep` wants a label that is there, and a pattern that fits its whole value.",
        ),
    ],
    hints=[
        "Three steps: which targets stay, what `instance` is, what `team` is.",
        "`action: keep` keeps what its `regex` fits; without an action a step replaces.",
        "`__meta_…` labels are thrown away at the end: copy what you want to keep.",
    ],
)

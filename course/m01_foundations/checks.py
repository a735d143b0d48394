"""What counts as right in the tasks of module 1, and the mistakes that are known by name."""

from monlab.grading import between, choice, every, metrics_page, number, promql
from monlab.machine import broken

# --- kinds of numbers ----------------------------------------------------------------------------------------------------

rates = choice(
    "m01.q1",
    options=[
        "node_network_receive_bytes_total",
        "node_memory_MemAvailable_bytes",
        "process_cpu_seconds_total",
        "node_load1",
        "http_request_duration_seconds_count",
        "process_start_time_seconds",
        "node_filesystem_avail_bytes",
    ],
    right={"node_network_receive_bytes_total", "process_cpu_seconds_total", "http_request_duration_seconds_count"},
    accepts=[
        ["process_cpu_seconds_total", "http_request_duration_seconds_count", "node_network_receive_bytes_total"],
        ("`node_network_receive_bytes_total`", "http_request_duration_seconds_count", "process_cpu_seconds_total"),
        "node_network_receive_bytes_total, http_request_duration_seconds_count, process_cpu_seconds_total",
    ],
    rejects=[
        ("node_memory_MemAvailable_bytes", "Memory goes up and down. `rate` would read each fall as a restart: this is a gauge."),
        ("node_load1", "The load average is a mean already, and it falls again: a gauge."),
        ("process_start_time_seconds", "A moment does not grow. Subtract it from `time()`."),
        (
            "node_filesystem_avail_bytes",
            "Free space goes up and down: a gauge. Ask `deriv` or `predict_linear` where it is heading.",
        ),
        (
            ["node_network_receive_bytes_total", "process_cpu_seconds_total"],
            "One more: a histogram's `_count` is a counter as well, although it does not end in `_total`.",
        ),
    ],
    hints=[
        "Which of them can only grow, until the process or the machine restarts?",
        "The ending of a name is a witness: `_total` is a counter. A histogram consists of counters, too.",
        "Three of them are counters.",
    ],
    solution="The counters: `node_network_receive_bytes_total`, `process_cpu_seconds_total`, `http_request_duration_seconds_count`.",
)

behaviour = choice(
    "m01.q2",
    options=["counter", "gauge", "histogram", "summary"],
    right="gauge",
    accepts=["Gauge", " `gauge` "],
    rejects={
        "counter": "It fell from 44 to 39 while the process went on. A counter only falls when its process restarts.",
        "histogram": "A histogram has buckets with a label `le`. Here is one number.",
        "summary": "A summary has quantiles. Here is one number.",
        "untyped": "The page could leave the type out. The number has a kind all the same: which?",
    },
    hints=["Look at what the value does between 12:00:05 and 12:00:10.", "The start time of the process did not change."],
)

# --- reading a page ------------------------------------------------------------------------------------------------------

mean = number(
    "m01.q3",
    expected=0.35,
    unit="s",
    accepts=["350 ms", 0.35, "0.35 s"],
    rejects={
        "84 s": "That is `_sum`: the time of all requests together. Divide by their number.",
        "240 s": "That is `_count`: how many requests there were.",
        "2.857142857 s": "Upside down: that is how many requests fit into a second.",
        "0.3684210526 s": "You divided by a bucket. The bucket up to 1 s does not hold all requests; `_count` does.",
        "0.5 s": "Half of them were faster than that, at least. The mean is asked.",
    },
    hints=["A histogram brings the sum of all values and their number.", "`_sum / _count`."],
    solution="`_sum / _count` = 84 s / 240 = 0.35 s",
)

slow_share = number(
    "m01.q4",
    expected=0.1,
    unit="ratio",
    accepts=["10 %", 0.1, "0.1"],
    rejects={
        "0.9": "That is the share that was faster. The slower ones are asked.",
        "0.05": "Buckets count everything up to their bound: 228 includes the 216. Those above 0.5 s are all but 216.",
        "0.1111111111": "You divided by the fast ones. A share is divided by all.",
        "24": "That is how many. Divide by all of them.",
    },
    hints=["`le` means less or equal: each bucket holds those before it.", "How many are not in the bucket up to 0.5 s?"],
    solution="(240 - 216) / 240 = 0.1",
)

# --- signals -------------------------------------------------------------------------------------------------------------

signal = choice(
    "m01.q5",
    options=["latency", "traffic", "errors", "saturation", "utilization"],
    right="saturation",
    accepts=["Saturation", "saturation."],
    rejects={
        "utilization": "All ten connections are in use: that is utilization, and it is at its limit. The twelve that wait are another signal.",
        "latency": "Waiting will make answers slow. What is counted here is how many wait.",
        "traffic": "Traffic is how much is asked per second. Here, somebody cannot be served at once.",
        "errors": "Nothing has failed yet.",
    },
    hints=["It is no golden signal that a resource is busy. Which one says that work waits?", "USE has a word for it."],
)

load = choice(
    "m01.q6",
    options=[
        "the CPUs are too slow",
        "eight tasks wait for a disk or another device",
        "each core is used twice",
        "memory is full",
        "nothing, the load is a percentage",
    ],
    right="eight tasks wait for a disk or another device",
    accepts=["Eight tasks wait for a disk or another device.", "`eight tasks wait for a disk or another device`"],
    rejects={
        "the CPUs are too slow": "They are idle nine tenths of the time. Nobody waits for them.",
        "each core is used twice": "That would be so if tasks were running. The CPUs are idle.",
        "memory is full": "The load average counts tasks. Full memory shows in MemAvailable and in pressure.",
        "nothing, the load is a percentage": "It is a number of tasks, a mean over the last minute: running, or waiting for a device.",
    },
    hints=[
        "What does Linux count in the load average beside tasks that run?",
        "Tasks that cannot be interrupted: they wait for a device.",
    ],
)

# --- units ---------------------------------------------------------------------------------------------------------------

ticks = number(
    "m01.q7",
    expected=50,
    unit="%",
    accepts=["50 %", "0.5 ratio", 50],
    rejects={
        "200 %": "That is the share of one core. Of all four: divide by four.",
        "5000 %": "A tick is a hundredth of a second here; you took it for a second.",
        "60 %": "60 s of CPU time in 30 s on four cores: 60 of 120 s.",
        "20 %": "That is the growth over the whole counter: user time since boot. Divide by the time that passed.",
        "12.5 %": "You divided by the cores twice: the first line of /proc/stat is the sum over all cores, the time is 4 × 30 s.",
    },
    hints=["6,000 ticks are 60 seconds.", "How many seconds of CPU time do four cores have in 30 s?"],
    solution="6,000 ticks / 100 = 60 s of CPU time; 4 cores × 30 s = 120 s; 60 / 120 = 50 %",
)

memory = number(
    "m01.q8",
    expected=0.75,
    unit="ratio",
    accepts=["75 %", 0.75],
    rejects={
        "0.96875": "You took MemFree. The cache would be given back at once: MemAvailable counts it.",
        "0.25": "That is what is left. What is used is asked.",
        "0.03125": "That is MemFree over MemTotal: neither used nor available.",
        "0.5625": "That is the cache. It would be given back at once, so programs can have it.",
        "12288000": "That is in kilobytes. A share is asked: divide by MemTotal.",
        "0.40625": "You took the cache for used memory and left out what is not cache. `MemTotal - MemAvailable` is in use.",
    },
    hints=["Which line counts what a program could get without swapping?", "1 - MemAvailable / MemTotal"],
    solution="1 - 4,096,000 / 16,384,000 = 0.75",
)

# --- labels and pages ----------------------------------------------------------------------------------------------------

labels = choice(
    "m01.q9",
    options=["method", "route", "code", "path", "user", "request_id", "time"],
    right={"path", "user", "request_id", "time"},
    accepts=[["time", "path", "user", "request_id"], ("`path`", "`user`", "`request_id`", "`time`"), "path, user, request_id, time"],
    rejects=[
        ("method", "Methods are few and known: GET, POST and a handful more."),
        ("route", "A route is a template such as `/orders/{id}`: there are as many as lines in the program."),
        ("code", "Codes are few and known, and you will ask for 5xx."),
        (["user", "request_id", "time"], "One more: the raw path. Each order has one of its own."),
        (["path", "user", "request_id"], "One more: a sample has a time already, and each second would be a series of its own."),
    ],
    hints=["Each value of a label is a series of its own. Which labels have values without end?", "There are four."],
    solution="`path`, `user`, `request_id` and `time`. Such things belong in logs and traces.",
)

MENDED = """# HELP backup_runs_total Backups that were tried.
# TYPE backup_runs_total counter
backup_runs_total{result="ok"} 41
backup_runs_total{result="failed"} 2
# HELP backup_last_duration_seconds How long the last one took.
# TYPE backup_last_duration_seconds gauge
backup_last_duration_seconds 2.5
# HELP backup_size_bytes Size of the last one.
# TYPE backup_size_bytes gauge
backup_size_bytes 3e+06
"""

mended = metrics_page(
    "m01.q10",
    reference=MENDED,
    accepts=[
        MENDED.replace("Backups that were tried.", "Runs.").replace("3e+06", "3000000"),
        "\n".join([*MENDED.splitlines()[4:], *MENDED.splitlines()[:4]]) + "\n",
        MENDED.replace("\n# HELP", "\n\n# HELP"),
        MENDED.replace('{result="ok"}', '{ result = "ok", }').replace(" 41", " 41 1781516700000"),
    ],
    rejects={
        MENDED.replace("backup_runs_total", "backup_runs"): "A counter's name ends in `_total`.",
        MENDED.replace("_duration_seconds", "_duration_milliseconds").replace(
            " 2.5", " 2500"
        ): "Time is in seconds, and the name says so.",
        MENDED.replace(" 2.5", " 2,5"): "A number has a point, not a comma.",
        MENDED.replace(" 2.5", " 2500"): "The name says seconds now, and the value is still in milliseconds.",
        MENDED.replace("backup_runs_total counter", "backup_runs_total gauge"): "Runs only grow: a counter.",
        MENDED.replace('{result="failed"}', '{result="ok"}'): "The same series stands twice. The label tells them apart.",
        MENDED.replace(
            "# HELP backup_size_bytes Size of the last one.\n", ""
        ): "A metric without HELP: the next reader must guess.",
        MENDED.replace(
            "backup_size_bytes 3e+06", "backup_size_bytes 3"
        ): "The name says bytes now, and the value is still in megabytes.",
        MENDED.replace(
            "backup_size_bytes 3e+06", "backup_size_bytes NaN"
        ): "NaN is what a page shows when nothing is known. The size is known: three megabytes.",
        MENDED.replace(" 41", " two").replace(" 2\n", " 41\n").replace(
            " two", " 2"
        ): "41 went well and 2 failed; yours has them the other way round.",
    },
    hints=[
        'Ask `promtool("check", "metrics", stdin=q10)`, and mend what it names. It does not see everything.',
        "Units: seconds and bytes, in the name and in the value.",
        "The two lines of runs need the label that tells them apart: `result`.",
    ],
)

SILENT = [one for one in broken.ALL if one.prometheus == broken.SILENT and not one.promtool]

unseen = choice(
    "m01.q11",
    options=[one.name for one in broken.ALL],
    right={one.name for one in SILENT},
    accepts=[[one.name for one in reversed(SILENT)], tuple(f"`{one.name}`" for one in SILENT)],
    rejects=[(one.name, f"Somebody does complain of it. {one.sentence}") for one in broken.ALL if one not in SILENT],
    hints=[
        "Take the rows of `trial` in which Prometheus is *up, silent*.",
        "Of those, leave out the ones that promtool has something to say about.",
        f"There are {len(SILENT)}.",
    ],
    solution="\n".join(f"- `{one.name}`: {one.sentence}" for one in SILENT),
)

# --- a service -----------------------------------------------------------------------------------------------------------

# At all of these instants each service has counted a failure once, so "none yet" and 0 are not told apart here.
SHARE = 'sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (service) (rate(http_requests_total[5m]))'
failing = promql(
    "m01.q12",
    reference=SHARE,
    at=every("3m", during=between("2026-06-15 09:33", "2026-06-15 10:30"))
    + every("97m", during=between("2026-06-15 10:30", "2026-06-17 13:40"))
    + every("1m", during=between("2026-06-17 13:43", "2026-06-17 13:52"))  # a roll-out of inventory
    + every("97m", during=between("2026-06-25 06:00", "2026-06-30 23:59")),
    accepts=[
        'sum by (service) (increase(http_requests_total{code=~"5.."}[5m])) / sum by (service) (increase(http_requests_total[5m]))',
        'sum by (service) (rate(http_requests_total{code=~"50."}[5m])) / on (service) sum by (service) (rate(http_requests_total[5m]))',
        '1 - sum by (service) (rate(http_requests_total{code!~"5.."}[5m])) / sum by (service) (rate(http_requests_total[5m]))',
        'sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / (sum by (service) (rate(http_requests_total[5m])) > 0)',
    ],
    rejects={
        'sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))': (
            "That is one number for the whole shop. `by (service)` on both sides keeps the services apart."
        ),
        'sum by (service) (rate(http_requests_total{code=~"5.."}[5m]))': "Failures a second: R and E in one. Divide by all requests.",
        'sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (service) (rate(http_requests_total{code!~"5.."}[5m]))': (
            "You divided by the good requests. A share is divided by all of them."
        ),
        'sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / on () group_left sum(rate(http_requests_total[5m]))': (
            "You divided each service by the whole shop. Each has its own requests below the line."
        ),
        'sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))': (
            "The right side has lost its labels, so nothing matches and the answer is empty. `by (service)` on both sides."
        ),
        'sum by (service) (rate(http_requests_total{code=~"5.."}[1h])) / sum by (service) (rate(http_requests_total[1h]))': (
            "The window is an hour. The last five minutes are asked."
        ),
        'avg by (service) (rate(http_requests_total{code=~"5.."}[5m]) / rate(http_requests_total[5m]))': (
            "Each failing series met itself there: the quotient is 1, or NaN. Sum both sides first."
        ),
        'sum by (service) (http_requests_total{code=~"5.."}) / sum by (service) (http_requests_total)': (
            "Counters as they stand tell of a process's whole life. Take `rate` first."
        ),
        'sum by (service) (rate(http_requests_total{code=~"[45].."}[5m])) / sum by (service) (rate(http_requests_total[5m]))': (
            "A refused card or a wrong address is no failure of the service. Failures are 5xx."
        ),
        '100 * sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (service) (rate(http_requests_total[5m]))': (
            "That is a percentage. A ratio from 0 to 1 is the base unit."
        ),
    },
    hints=["E of RED: failed requests by all requests.", "Both sides: `sum by (service) (rate(…[5m]))`."],
)

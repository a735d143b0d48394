"""Answers of module 8: budgets and burn rates by hand, then by query over June 2026."""

from datetime import timedelta
from fractions import Fraction

from monlab.grading import between, choice, every, measured, month, number, promql

OUTAGE = every("3m", during=between("2026-06-15 09:20", "2026-06-15 11:30"))
CALM = every("13h7m", during=month) + every("11m", during=between("2026-06-08 18:07", "2026-06-08 18:29"))  # and time-outs (504)
ROLLED = every("7m", during=between("2026-06-11 09:50", "2026-06-11 11:20"))  # the gateway: its counters begin anew

q1 = number(
    "m08.q1",
    expected=30 * 1440 * 0.0005,
    unit="min",
    monthly=True,
    accepts=["1296 s", "0.36 h", "21 min 36 s", "21 minutes and 36 seconds", "`21.6 min`", "1 296 s", timedelta(minutes=21.6)],
    rejects={
        "20.16 min": "June has 30 days, not 28.",
        "43.2 min": "That is the budget of 99.9 %. The five behind it halves it.",
        "216 min": "0.5 % is ten times too much: 99.95 % leaves 0.05 %.",
        "43178.4 min": "That is the time the service must work. The budget is the rest.",
    },
    hints=["How many minutes do 30 days have?", "Which share of them may fail at 99.95 %?"],
    solution="30 × 24 × 60 min × 0.0005 = 21.6 min",
)

q2 = number(
    "m08.q2",
    expected=10 / 21.6 * 100,
    unit="%",
    tolerance=0.01,
    accepts=["46.3 %", "0.463 ratio", 46.296, "46 %"],
    rejects={
        "53.7 %": "That is what is left. The question is what is spent.",
        "23.15 %": "You divided by the budget of 99.9 %.",
        "0.0231 %": "That is the share of the month. The budget is the smaller number to divide by.",
        "216 %": "Upside down: what was used stands above the line.",
    },
    hints=["Ten minutes are gone. Of how many?"],
    solution="10 min / 21.6 min = 46.3 %",
)

q3 = number(
    "m08.q3",
    expected=20,
    unit="times",
    accepts=["20", 20.0, "20.0"],
    rejects={
        "0.05": "Upside down: what fails stands above the line, what may fail below it.",
        "2": "That is the percentage that fails. Compare it with the percentage that may.",
        "36": "That is the factor of an alert. The question is how fast the budget goes now.",
        "1.02": "Burning is no sum: divide one share by the other.",
    },
    hints=["0.1 % may fail. 2 % do."],
    solution="0.02 / 0.001 = 20",
)

q4 = number(
    "m08.q4",
    expected=36,
    unit="times",
    accepts=["36", 36.0, "36.0"],
    rejects={
        "14.4": "That is 2 % of the budget in an hour. Here it is 5 %.",
        "6": "That is 5 % in six hours. Here it is one.",
        "33.6": "That is for 28 days.",
        "720": "That spends the whole budget in the hour.",
    },
    hints=["How many hours does the period have?", "Spending evenly, which part of the budget goes in an hour?"],
    solution="0.05 × 720 h / 1 h = 36",
)

q5 = number(
    "m08.q5",
    expected=13.44,
    unit="times",
    accepts=["13.44", 13.44, "13.440", Fraction(336, 25)],
    rejects={
        "14.4": "That is for 30 days. A shorter period has a smaller budget, so the same part of it is reached at a lower rate.",
        "15.43": "You multiplied by 30 / 28 where you should divide.",
        "5.6": "That is the page's second row: 5 % in six hours of 28 days.",
        "2.8": "That is the ticket's first row: 10 % in a day of 28 days.",
    },
    hints=["28 days have 672 hours."],
    solution="0.02 × 672 h / 1 h = 13.44",
)

q6 = number(
    "m08.q6",
    expected=50,
    unit="h",
    accepts=["50 h", "3000 min", "2 d 2 h"],
    rejects={
        "2 h": "A widespread mistake: 2 % is spent in an hour, and the whole in fifty.",
        "120 h": "That is at 6 times.",
        "10368 h": "You multiplied. The faster it burns, the shorter it lasts.",
        "46.67 h": "That is for 28 days.",
    },
    hints=["At a burn rate of 1 the budget lasts 720 hours."],
    solution="720 h / 14.4 = 50 h",
)

q7 = number(
    "m08.q7",
    expected=129.6,
    unit="s",
    accepts=["129.6 s", "2.16 min", "2 min 9.6 s"],
    rejects={
        "36 h": "The window need not be full: it is enough that its average passes the limit.",
        "0.6 s": "That is a window of ten minutes.",
        "3.6 s": "That is a window of an hour.",
        "1296 s": "At 99 %, yes. The objective is 99.9 %.",
    },
    hints=["The average over 36 hours must pass 0.1 %.", "How much of 36 hours must fail for that?"],
    solution="0.001 / 1 × 36 h = 129.6 s",
)

q8 = number(
    "m08.q8",
    expected=57.84,
    unit="min",
    tolerance=0.001,  # 57.8 min, rounded to a tenth, is right
    accepts=["57.84 min", "57.8 min", 57.8, "57.83 min", "3470.4 s", "0.964 h"],
    rejects={
        "60 min": "The alert ends before the window has forgotten all: when 3.6 % of it are left.",
        "2.16 min": "That is how long it takes to fire. The question is how long it stays.",
        "59.94 min": "That is with a limit of 0.1 %. The factor 36 stands before it.",
        "5 min": "That would be with a short window of five minutes beside it.",
    },
    hints=["The limit is 36 × 0.1 %.", "The alert ends when the failures in the window are less than that."],
    solution="60 min × (1 - 0.036) = 57.84 min",
)

q9 = choice(
    "m08.q9",
    options=["never", "at once", "after 6 minutes", "after an hour"],
    right="never",
    accepts=["Never", " never ", "`never`"],
    rejects={
        "at once": "The limit is 14.4 × 10 %. What share of requests can fail at most?",
        "after 6 minutes": "14.4 × 10 % is 144 %. Can so much fail?",
        "after an hour": "However long it lasts, the share that fails stays below the limit: compute it.",
        "after a day": "That is none of the four. Compute the limit first.",
    },
    hints=["The objective is 90 %, so 10 % may fail.", "The limit is 14.4 times that."],
    solution="Never: 14.4 × 10 % = 144 %, and no more than 100 % can fail. The highest burn rate is 1 / 10 % = 10.",
)

q10 = number(
    "m08.q10",
    expected=0.999**4 * 100,
    unit="%",
    tolerance=5e-6,  # 99.601 is rounded, 99.6 no longer tells how it was computed
    accepts=["99.6006 %", "0.996006 ratio", 99.6006, "99.601 %"],
    rejects={
        "99.9 %": "A chain is weaker than its weakest link: each step loses some of what the others let through.",
        "99.6 %": "Did you add the failures? That counts twice what fails in two steps: multiply what works. The two differ in the third digit after the point.",
        "99.9999999999 %": "That is one of four being enough. Here all four are needed.",
        "99.7003 %": "That is three steps.",
    },
    hints=["All four must work.", "Independent shares multiply."],
    solution="0.999 × 0.999 × 0.999 × 0.999 = 99.6006 %",
)

q11 = number(
    "m08.q11",
    expected=99.99,
    unit="%",
    tolerance=1e-6,
    accepts=["99.99 %", "0.9999 ratio", 99.99],
    rejects={
        "98.01 %": "That is both being needed. Here one is enough.",
        "99 %": "Then the second one would be of no use.",
        "99.5 %": "Half of the failures? Both fail at once in 1 % of 1 %.",
        "99.9999 %": "That is with three.",
    },
    hints=["When do both fail at once?"],
    solution="1 - 0.01 × 0.01 = 99.99 %",
)

q12 = choice(
    "m08.q12",
    options=["closed", "open", "open with a warning"],
    right="closed",
    accepts=["Closed", " closed ", "`closed`"],
    rejects={
        "open": "Then the surest way to release would be to break the monitoring.",
        "open with a warning": "Who reads it? What nobody knows is no reason to take a risk.",
        "as yesterday": "That is none of the three. Yesterday's answer is about yesterday.",
        "100 %": "Missing data is not 100 %.",
    },
    hints=["Nobody knows what is left."],
    solution="Closed: missing data is not 100 %. A security fix may pass, since it lowers the risk.",
)

q13 = choice(
    "m08.q13",
    options=["402", "409", "500", "502", "503", "504"],
    right={"500", "502", "503", "504"},
    accepts=[["503", "500", "504", "502"], ("502", "503", "504", "500"), [500, 502, 503, 504], "500, 502, 503 and 504"],
    rejects=[
        ("402", "A declined card is an answer: the shop did its work."),
        ("409", "Sold out is an answer, if a bad one for business. It needs an alert of its own, on stock."),
        (["500"], "Three more: those that speak of somebody behind the gateway, too. The customer sees one shop."),
        (["500", "502", "503"], "One more: the customer who waited in vain."),
        ([500, 502, 503, 504, 409], "Sold out is an answer, if a bad one for business. It needs an alert of its own, on stock."),
        (["502", "504"], "These are the ones that June has. The question is which would spend the budget, whatever June had: two more."),
    ],
    hints=["Whose fault is it, the customer's or the shop's?"],
    solution="All 5xx. 402 and 409 are answers; they stay in the total.",
)

TOTAL, BAD = 'http_requests_total{job="gateway"}', 'http_requests_total{job="gateway",code=~"5.."}'

q14 = promql(
    "m08.q14",
    reference=f"sum(rate({BAD}[1h])) / sum(rate({TOTAL}[1h]))",
    at=CALM + OUTAGE + ROLLED,
    accepts=[
        f"sum(increase({BAD}[1h])) / sum(increase({TOTAL}[1h]))",
        f'1 - sum(rate(http_requests_total{{job="gateway",code!~"5.."}}[1h])) / sum(rate({TOTAL}[1h]))',
    ],
    rejects={
        f'sum(rate({BAD}[1h])) / sum(rate(http_requests_total{{job="gateway",code!~"5.."}}[1h]))': "You divided by the good requests, not by all of them.",
        f"sum(rate({BAD}[5m])) / sum(rate({TOTAL}[5m]))": "The window is an hour.",
        f"1 - sum(rate({BAD}[1h])) / sum(rate({TOTAL}[1h]))": "That is the good share. The error ratio is the rest.",
        f"sum(rate({BAD}[1h])) / sum(rate({TOTAL}[1h])) / 0.001": "That is the burn rate. Here it is the ratio itself.",
        f"rate(sum({BAD})[1h:1m]) / rate(sum({TOTAL})[1h:1m])": "Sum after the rate. When one instance restarts, the sum falls, and `rate` takes the fall for a restart of them all.",
        f"sum({BAD}) / sum({TOTAL})": "You divided counters as they stand, so each process's whole life counts. Take a rate first.",
        'sum(rate(http_requests_total{code=~"5.."}[1h])) / sum(rate(http_requests_total[1h]))': "All services are in it: one failure is counted at each of them. Select the gateway.",
        f'sum(rate(http_requests_total{{job="gateway",code=~"[45].."}}[1h])) / sum(rate({TOTAL}[1h]))': "A declined card and a sold-out product are answers, not failures of the shop.",
    },
    hints=["Two sums, one of them with a matcher more."],
)

q15 = promql(
    "m08.q15",
    reference=f"1 - sum(increase({BAD}[1d])) / sum(increase({TOTAL}[1d])) / 0.001",
    at=every("11h", during=between("2026-06-02 00:00", "2026-06-30 00:00")),
    accepts=[
        f"1 - (sum(rate({BAD}[1d])) / sum(rate({TOTAL}[1d]))) / (1 - 0.999)",
        f"(0.001 - sum(rate({BAD}[1d])) / sum(rate({TOTAL}[1d]))) / 0.001",
    ],
    rejects={
        f"sum(increase({BAD}[1d])) / sum(increase({TOTAL}[1d])) / 0.001": "That is what is spent. The question is what is left.",
        f"1 - sum(increase({BAD}[1d])) / sum(increase({TOTAL}[1d]))": "That is the availability. Divide what failed by what may fail.",
        f"1 - sum(increase({BAD}[5m])) / sum(increase({TOTAL}[5m])) / 0.001": "A budget is counted over its window, which is a day here. A shorter one says how fast it goes, not what is left.",
        f"0.001 - sum(increase({BAD}[1d])) / sum(increase({TOTAL}[1d]))": "That is what may still fail as a share of the requests. The budget is the whole of which a part is asked.",
        f"0.001 * sum(increase({TOTAL}[1d])) - sum(increase({BAD}[1d]))": "That is how many requests may still fail. Which part of the budget are they?",
        f"1 - sum(increase({BAD}[1d])) / sum(increase({TOTAL}[1d])) / 0.999": "You divided by what must work. The budget is what may fail: 0.001.",
        f"clamp_min(1 - sum(increase({BAD}[1d])) / sum(increase({TOTAL}[1d])) / 0.001, 0)": "Cut off at 0, nobody sees by how much the objective is missed.",
    },
    hints=["What is spent is the error ratio over what may fail.", "Left is 1 less that, and it may be below 0."],
)

HISTOGRAM = "http_request_duration_seconds"
SERVED = 'job="gateway",code=~"2.."'

q16 = promql(
    "m08.q16",
    reference=f'sum(rate({HISTOGRAM}_bucket{{{SERVED},le="0.25"}}[1h])) / sum(rate({HISTOGRAM}_count{{{SERVED}}}[1h]))',
    at=CALM + ROLLED + every("5m", during=between("2026-06-22 12:30", "2026-06-22 16:00")),
    accepts=[
        f'sum(rate({HISTOGRAM}_bucket{{{SERVED},le="0.25"}}[1h])) / sum(rate({HISTOGRAM}_bucket{{{SERVED},le="+Inf"}}[1h]))',
        f"histogram_fraction(0, 0.25, sum by (le) (rate({HISTOGRAM}_bucket{{{SERVED}}}[1h])))",
    ],
    rejects={
        f'1 - sum(rate({HISTOGRAM}_bucket{{{SERVED},le="0.25"}}[1h])) / sum(rate({HISTOGRAM}_count{{{SERVED}}}[1h]))': "That is the slow share.",
        f'sum(rate({HISTOGRAM}_bucket{{{SERVED},le="0.5"}}[1h])) / sum(rate({HISTOGRAM}_count{{{SERVED}}}[1h]))': "That is within half a second. The promise is a quarter.",
        f'sum(rate({HISTOGRAM}_bucket{{job="gateway",le="0.25"}}[1h])) / sum(rate({HISTOGRAM}_count{{job="gateway"}}[1h]))': "Refused and failed requests are in `_count`, and in no bucket that June kept. Ask both sides for the same codes.",
        f'sum(rate({HISTOGRAM}_bucket{{{SERVED},le="250"}}[1h])) / sum(rate({HISTOGRAM}_count{{{SERVED}}}[1h]))': "`le` is in seconds, as the metric's name says. The selector with `250` finds nothing.",
        f'sum({HISTOGRAM}_bucket{{{SERVED},le="0.25"}}) / sum({HISTOGRAM}_count{{{SERVED}}})': "You divided counters as they stand, so each process's whole life counts. Take a rate first.",
        f"histogram_quantile(0.99, sum by (le) (rate({HISTOGRAM}_bucket{{{SERVED}}}[1h])))": "That is a duration. An SLI is a share of requests.",
    },
    hints=["A bucket counts what took at most `le` seconds.", "What was served answers 2xx."],
)

DAY = 'sum(increase(http_requests_total{job="gateway",code=~"5.."}[1d]))'

q17 = number(
    "m08.q17",
    expected=measured(DAY, at="2026-06-16 00:00"),
    unit="requests",
    tolerance=0.002,
    accepts=[
        measured(DAY.replace("1d", "24h"), at="2026-06-16 00:00"),
        measured(DAY.replace("increase", "rate"), at="2026-06-16 00:00", times=86_400),
    ],
    rejects=[
        (measured(DAY, at="2026-06-15 00:00"), "That is the day before."),
        (measured(DAY.replace("1d", "30m"), at="2026-06-15 10:00"), "That is half an hour of the day."),
        (measured(DAY.replace("gateway", "inventory"), at="2026-06-16 00:00"), "That is inventory, where the cause was. The customer met the gateway."),
        (measured(DAY.replace("5..", "[45].."), at="2026-06-16 00:00"), "Declined cards and sold-out products are in it."),
    ],
    hints=["`increase` over a day, asked at the end of that day."],
    solution=f"`{DAY}` on 16 June at 00:00",
)

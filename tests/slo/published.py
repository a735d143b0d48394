"""Numbers as they are printed elsewhere: (source, what we compute, the printed number). Units are part of the computation."""

from datetime import timedelta

from monlab.slo import alerts, budget, windows

BOOK = "SRE book, appendix A, availability table"
WORKBOOK = "SRE workbook, Alerting on SLOs"
SECONDS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
COLUMNS = ("year", "quarter", "month", "week", "day", "hour")
# 0.99999 a day is printed as 0.87 seconds and is 0.864: a misprint, left out here and computed in computed.py.
ROWS = {
    "0.9": "36.5 days|9 days|3 days|16.8 hours|2.4 hours|6 minutes",
    "0.95": "18.25 days|4.5 days|1.5 days|8.4 hours|1.2 hours|3 minutes",
    "0.99": "3.65 days|21.6 hours|7.2 hours|1.68 hours|14.4 minutes|36 seconds",
    "0.995": "1.83 days|10.8 hours|3.6 hours|50.4 minutes|7.20 minutes|18 seconds",
    "0.999": "8.76 hours|2.16 hours|43.2 minutes|10.1 minutes|1.44 minutes|3.6 seconds",
    "0.9995": "4.38 hours|1.08 hours|21.6 minutes|5.04 minutes|43.2 seconds|1.8 seconds",
    "0.9999": "52.6 minutes|12.96 minutes|4.32 minutes|60.5 seconds|8.64 seconds|0.36 seconds",
    "0.99999": "5.26 minutes|1.30 minutes|25.9 seconds|6.05 seconds||0.04 seconds",
}


def availability_rows():
    for level, line in ROWS.items():
        for column, cell in zip(COLUMNS, line.split("|"), strict=True):
            if cell:
                number, unit = cell.split()
                yield f"{BOOK}: {level} a {column}", budget.availability_table()[level][column] / SECONDS[unit], number


def window_rows():
    """Table 5-8, and Sloth's files: burn rates that follow from the printed part of the budget, and the windows themselves."""
    for row, (long, short, rate, part) in zip(
        windows.WORKBOOK_30D.rows, (("60", "5", "14.4", "2"), ("360", "30", "6", "5"), ("4320", "360", "1", "10")), strict=True
    ):
        name = f"{WORKBOOK}, table 5-8, {long} min"
        yield f"{name}, long", row.long / timedelta(minutes=1), long
        yield f"{name}, short", row.short / timedelta(minutes=1), short
        yield f"{name}, burn rate", row.factor(timedelta(days=30)), rate
        yield f"{name}, part", float(row.budget_share) * 100, part
    sloth = {
        "google-30d.yaml": (
            windows.SLOTH_30D,
            (("60", "5", "2"), ("360", "30", "5"), ("1440", "120", "10"), ("4320", "360", "10")),
        ),
        "google-28d.yaml": (
            windows.SLOTH_28D,
            (("60", "5", "2"), ("360", "30", "5"), ("1440", "120", "10"), ("4320", "360", "10")),
        ),
        "examples/7d.yaml": (
            windows.SLOTH_7D,
            (("60", "5", "8"), ("360", "30", "12.5"), ("1440", "120", "20"), ("4320", "360", "42")),
        ),
    }
    for file, (policy, rows) in sloth.items():
        for row, (long, short, part) in zip(policy.rows, rows, strict=True):
            yield f"Sloth 0.16, {file}, {long} min, long", row.long / timedelta(minutes=1), long
            yield f"Sloth 0.16, {file}, {long} min, short", row.short / timedelta(minutes=1), short
            yield f"Sloth 0.16, {file}, {long} min, part", float(row.budget_share) * 100, part
    yield f"{WORKBOOK}, approach 6, code: 24 h", windows.SLOTH_30D.rows[2].factor(timedelta(days=30)), "3"


def alert_rows():
    ways = alerts.approaches(windows.WORKBOOK_30D)
    detect = alerts.detection_seconds
    for rate, ratio in (("1", "0.1"), ("2", "0.2"), ("10", "1"), ("1000", "100")):
        error = float(ratio) / 100
        yield f"{WORKBOOK}, table 5-4: {ratio} % errors", budget.burn_rate(f"{error:.4f}", "0.999"), rate
    for rate, printed, unit in ((1, "30", "days"), (2, "15", "days"), (10, "3", "days"), (1000, "43", "minutes")):
        lasts = budget.exhaustion_seconds(rate, "30d") / SECONDS[unit]
        yield f"{WORKBOOK}, table 5-4: exhausted at {rate}", lasts, printed
    yield f"{WORKBOOK}, table 5-1: detection, s", detect(ways[0], 1, "0.999"), "0.6"
    yield f"{WORKBOOK}, table 5-1: part in 10 min, %", budget.spent_by_burning(1, "10m", "30d") * 100, "0.02"
    yield f"{WORKBOOK}, approach 2: 36 h are %", budget.spent_by_burning(1, "36h", "30d") * 100, "5"
    yield f"{WORKBOOK}, table 5-2: detection, s", detect(ways[1], 1, "0.999"), "130"
    yield f"{WORKBOOK}, table 5-2: reset, h", alerts.reset_seconds(ways[1], 1, "0.999", "1h") / 3600, "36"
    yield f"{WORKBOOK}, table 5-3: detection, h", detect(ways[2], 1, "0.999") / 3600, "1"
    yield f"{WORKBOOK}, table 5-3: detection of 0.2 %, h", detect(ways[2], "0.002", "0.999") / 3600, "1"
    yield f"{WORKBOOK}, table 5-3: spent in that hour, 10 %", budget.spent_by_burning(1000, "1h", "30d") * 10, "14"
    yield f"{WORKBOOK}, approach 4: burn rate", budget.factor("0.05", "1h", "30d"), "36"
    yield f"{WORKBOOK}, table 5-5: reset, min", alerts.reset_seconds(ways[3], 1, "0.999", "30m") / 60, "58"
    yield f"{WORKBOOK}, low traffic: one failure, %", 100 / budget.allowed_events("0.999", 7200), "13.9"
    yield f"{WORKBOOK}, low traffic: failures allowed", budget.allowed_events("0.999", 7200), "7"


PUBLISHED = [*availability_rows(), *window_rows(), *alert_rows()]

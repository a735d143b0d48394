"""Numbers worked out by hand, with fractions and without the library: (what, computed by the library, expected)."""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction as F

from monlab.slo import alerts, budget, composite, forecast, indicators, money, records, windows
from monlab.slo.budget import Counts

DAY = 86_400


def day(year, month, number):
    return datetime(year, month, number, tzinfo=UTC)


def budgets():
    yield "0.9995 over 30 d, min", budget.allowed_seconds("0.9995", "30d") / 60, F(5, 10_000) * 30 * 1440
    yield "0.99999 a day, s", budget.allowed_seconds("0.99999", "1d"), F(DAY, 100_000)
    yield "0.999 over 28 d, s", budget.allowed_seconds("0.999", "28d"), F(28 * DAY, 1000)
    yield "0.9999 over 90 d, s", budget.allowed_seconds("0.9999", "90d"), F(90 * DAY, 10_000)
    yield "objective 1 over 30 d", budget.allowed_seconds(1, "30d"), F(0)
    yield "objective 0 over 30 d", budget.allowed_seconds(0, "30d"), F(30 * DAY)
    month = records.Calendar("month")
    for year, length in ((2023, 28), (2024, 29), (1900, 28), (2000, 29), (2026, 28), (2028, 29)):
        now = day(year, 2, 14)
        yield f"February {year}, s", budget.allowed_seconds("0.999", month.length_at(now)), F(length * DAY, 1000)
    for number, length in ((1, 31), (4, 30), (6, 30), (12, 31)):
        yield f"month {number} of 2026, d", month.length_at(day(2026, number, 5)) / timedelta(days=1), F(length)
    quarter = records.Calendar("quarter")
    for number, length in ((1, 90), (4, 91), (7, 92), (10, 92)):
        yield f"quarter of month {number}, 2026, d", quarter.length_at(day(2026, number, 5)) / timedelta(days=1), F(length)
    yield "first quarter of 2024, d", quarter.length_at(day(2024, 3, 31)) / timedelta(days=1), F(91)
    yield "year 2024, d", records.Calendar("year").length_at(day(2024, 7, 1)) / timedelta(days=1), F(366)
    yield "a week, d", records.Calendar("week").length_at(day(2026, 6, 3)) / timedelta(days=1), F(7)
    for bad, total, objective in (
        (0, 1000, F(999, 1000)),
        (1, 1000, F(999, 1000)),
        (13, 10_000, F(999, 1000)),
        (815, 347_000, F(999, 1000)),
        (815, 347_000, F(995, 1000)),
        (1000, 1000, F(999, 1000)),
        (7, 7200, F(999, 1000)),
        (1, 10, F(0)),
        (3, 1_000_000, F(99999, 100_000)),
        (10, 21_600, F(9995, 10_000)),
    ):
        expected = F(bad) / ((1 - objective) * total)
        yield f"{bad} of {total} at {objective}, spent", budget.spent(Counts(bad, total), objective), expected
        yield f"{bad} of {total} at {objective}, left", budget.left(Counts(bad, total), objective), 1 - expected
        yield f"{bad} of {total} at {objective}, availability", budget.availability(Counts(bad, total)), 1 - F(bad, total)
        yield (
            f"{bad} of {total} at {objective}, burn",
            budget.burn_rate(F(bad, total), objective),
            F(bad, total) / (1 - objective),
        )
    yield "10 min of 21.6", budget.spent(Counts(10, 43_200), "0.9995"), F(10, 1) / F(216, 10)
    yield "window longer than history", budget.spent(Counts(50, 10_000), "0.999", expected=43_200), F(50 * 1000, 43_200)
    yield "objective 1, no error", budget.spent(Counts(0, 10), 1), F(0)
    yield "objective 1, an error", budget.spent(Counts(1, 10), 1), math.inf
    yield "no traffic, spent", budget.spent(Counts(0, 0), "0.999"), F(0)
    yield "no traffic, availability", budget.availability(Counts(0, 0)), None
    yield "no traffic, error ratio", budget.error_ratio(Counts(0, 0)), None
    yield "highest burn rate at 0.9", budget.highest_burn_rate("0.9"), F(10)
    yield "highest burn rate at 0.99999", budget.highest_burn_rate("0.99999"), F(100_000)
    yield "half a budget at 14.4, h", budget.exhaustion_seconds(14.4, "30d", 0.5) / 3600, F(25)
    yield "a budget at 14.4, h", budget.exhaustion_seconds(14.4, "30d") / 3600, F(50)
    yield "a budget at 35, h", budget.exhaustion_seconds(35, "30d") / 3600, F(720, 35)
    yield "no burn", budget.exhaustion_seconds(0, "30d"), math.inf


def factors():
    for part, hours, days in (
        (F(2, 100), 1, 28), (F(5, 100), 6, 28), (F(10, 100), 24, 28), (F(10, 100), 72, 28),
        (F(8, 100), 1, 7), (F(125, 1000), 6, 7), (F(20, 100), 24, 7), (F(42, 100), 72, 7),
        (F(2, 100), 1, 90), (F(5, 100), 6, 90), (F(10, 100), 72, 90), (F(1, 100), 1, 365), (F(1), 720, 30),
    ):  # fmt: skip
        yield f"{part} in {hours} h of {days} d", budget.factor(part, f"{hours}h", f"{days}d"), part * days * 24 / hours
    for policy in (windows.SLOTH_28D, windows.SLOTH_7D):
        for row in policy.rows:
            hours, days = F(int(row.long.total_seconds()), 3600), policy.period.days
            yield f"{policy.source}, {hours} h", row.factor(policy.period), row.budget_share * days * 24 / hours


def detections():
    ways = alerts.approaches(windows.WORKBOOK_30D)
    budget_share, hour = F(1, 1000), 3600
    for ratio in (F(1), F(1, 2), F(15, 100), F(5, 100)):
        page = min(F(144, 10) * budget_share / ratio * hour, 6 * budget_share / ratio * 6 * hour)
        yield f"page by 5, {ratio}", alerts.detection_seconds(ways[4], ratio, "0.999"), page
        yield f"page by 6, {ratio}", alerts.detection_seconds(ways[6], ratio, "0.999"), page
        yield f"ticket by 6, {ratio}", alerts.detection_seconds(ways[7], ratio, "0.999"), budget_share / ratio * 72 * hour
        yield f"reset of 4, {ratio}", alerts.reset_seconds(ways[3], ratio, "0.999", "2h"), (1 - F(36, 1000) / ratio) * hour
        slow = (1 - 6 * budget_share / ratio) * 1800
        yield f"reset of the page by 6, {ratio}", alerts.reset_seconds(ways[6], ratio, "0.999", "2h"), slow
    yield "35 times never alerts by 4", alerts.detection_seconds(ways[3], F(35, 1000), "0.999"), None
    yield "exactly the limit never alerts", alerts.detection_seconds(ways[3], F(36, 1000), "0.999"), None
    yield "an outage of a minute is not seen by 3", alerts.detection_seconds(ways[2], 1, "0.999", "1m"), None
    yield "14.4 cannot be reached at 0.9", alerts.detection_seconds(ways[3], 1, "0.9"), None
    yield "spent when 4 comes", alerts.spent_at_detection(ways[3], F(1, 2), "0.999", "30d"), F(5, 100)
    one_row = alerts.AlertType("14.4", (alerts.of_policy(windows.WORKBOOK_30D, "page").rows[0],))
    yield "spent when 14.4 comes", alerts.spent_at_detection(one_row, F(1, 2), "0.999", "30d"), F(2, 100)
    yield (
        "15 % errors, 14.4 over 1 h, s",
        alerts.detection_seconds(one_row, F(15, 100), "0.999"),
        F(144, 10_000) / F(15, 100) * 3600,
    )
    yield "its reset, s", alerts.reset_seconds(one_row, F(15, 100), "0.999", "10m"), (1 - F(144, 10_000) / F(15, 100)) * 300


def composites():
    four = [F(999, 1000), F(998, 1000), F(9995, 10_000), F(9999, 10_000)]
    yield "four in a chain", composite.serial(four), math.prod(four)
    yield "two spares", composite.parallel([F(99, 100), F(99, 100)]), 1 - F(1, 10_000)
    yield "three spares", composite.parallel([F(9, 10)] * 3), F(999, 1000)
    yield (
        "weighted",
        composite.weighted({"read": ("0.999", "0.9"), "write": ("0.99", "0.1")}),
        F(999, 1000) * F(9, 10) + F(99, 1000),
    )
    yield "chain of 30", composite.serial(["0.999"] * 30), F(999, 1000) ** 30
    yield "ceiling", composite.ceiling(["0.9999", "0.9999"], "0.999"), F(9999, 10_000) ** 2 * F(999, 1000)
    yield "worst of the four", composite.bounds(four)[0], 1 - sum(1 - one for one in four)
    yield "best of the four", composite.bounds(four)[1], min(four)
    yield "a ninth of the budget", composite.allowed_per_dependency("0.999", 9), F(1, 9000)
    steps = [composite.Step("cart", F(99, 100), tries=2), composite.Step("pay", F(998, 1000))]
    yield "a journey with a second try", composite.journey(steps), (1 - F(1, 100) ** 2) * F(998, 1000)


def indicators_of():
    buckets = {"0.1": 900, "0.3": 960, "1.0": 990, "+Inf": 1000}
    yield "slower than 0.3", indicators.within(buckets, 0.3).bad, F(40)
    yield "slower than 0.2, spread", indicators.interpolated(buckets, 0.2).bad, F(70)
    busy = [Counts(0, 1000), Counts(50, 100), Counts(0, 0), Counts(0, 100)]
    yield "bad minutes", indicators.good_minutes(busy, "0.999").bad, F(1)
    yield "minutes asked", indicators.good_minutes(busy, "0.999").total, F(3)
    yield "bad requests", indicators.all_events(busy).bad, F(50)
    yield "too old", indicators.freshness([10, 400, math.nan, 20], 300).bad, F(2)
    yield "wrong answers", budget.error_ratio(indicators.correctness(2000, 3)), F(3, 2000)
    yield "one failure of 7200", indicators.one_failure(7200, "0.999"), F(1000, 7200)
    yield "failures worth a page at 10 an hour", indicators.page_worthy(10, "0.999", 720), F(1)
    yield "failures worth a page at 10,000 an hour", indicators.page_worthy(10_000, "0.999", 720), F(144)
    yield "smoothed", indicators.smoothed(Counts(1, 10), "0.999", 990), (1 + F(990, 1000)) / 1000
    tiers = [money.Credit(F(999, 1000), F(1, 10)), money.Credit(F(99, 100), F(25, 100)), money.Credit(F(95, 100), F(1))]
    yield "credit at 0.9995", money.credit("0.9995", tiers, 1000), F(0)
    yield "credit at 0.999", money.credit("0.999", tiers, 1000), F(0)
    yield "credit at 0.9985", money.credit("0.9985", tiers, 1000), F(100)
    yield "credit at 0.94", money.credit("0.94", tiers, 1000), F(1000)
    yield "a nine more, 10,000 an hour", money.worth_of("0.999", "0.9999", "30d", 10_000), F(43_200 * 9, 10 * 60 * 60) * 600
    start, end = day(2026, 6, 1), day(2026, 7, 1)
    going = forecast.straight(0.5, start, day(2026, 6, 7), end)
    yield "half in 6 of 30 days, at the end", going.spent_at_end, F(5, 2)
    yield "and empty on day", (going.empty_at - start) / timedelta(days=1), F(12)
    yield "a tenth in 6 days is never empty", forecast.straight(0.1, start, day(2026, 6, 7), end).empty_at, None


COMPUTED = [*budgets(), *factors(), *detections(), *composites(), *indicators_of()]

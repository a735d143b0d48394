# %% [markdown]
# # Objectives: how reliable is reliable enough?
# Somebody must say when a service is good enough to be changed, and when it must be mended first. An objective says it before the argument begins.
#
# **You will do:** measure a month of the shop as its customers saw it, and spend its error budget by hand and by query. Try six
# kinds of alert on its two worst days, break the live shop, measure it in three places, and decide a release.
#
# **You will learn:** to choose what to count, what 99.9 % allows, why 14.4 is 14.4, when each alert comes and goes, and what a policy is for.
#
# **You need:** 150 minutes, about 500 MB of memory for the servers, and the Prometheus lesson behind you. The arithmetic needs no server.

# %% setup
from monlab import archive, dashboard, guess, prom, promtool, shop, slo, stack, wait_until, workspace

# %%
workspace.remove("prometheus/rules/gateway-slo.yml")      # in case an earlier visit ended half way
stack.up("m08", "month")

# %% [markdown] covers: M8-T1
# ## Which words mean what?
# An **SLI**, an indicator, is a measured share: good events over all events that count. An **SLO**, an objective, is the share you aim at, over
# a period. What it leaves is the **error budget**: at 99.9 %, one event in a thousand may fail. An **SLA** is a contract, with
# money behind it, so it promises less than the SLO aims at.
#
# Why a budget, and not a wish for 100 %? Because a budget can be spent on purpose: on releases, on experiments, on sleep.

# %% [markdown]
# ## What do nines allow?
# Start with time, since everybody can picture it. Guess: how many minutes may a service with 99.95 % be down in 30 days?

# %%
guess("m08.g1", ...)

# %% frozen covers: M8-T2
allowed = slo.allowed_seconds("0.9995", "30d") / 60
print(f"ten minutes of outage spend {10 / allowed:.1%} of the budget")

# %%
guess("m08.g1").beside(allowed, "minutes")

# %% frozen
for level, row in slo.availability_table(["0.99", "0.999", "0.9999", "0.99999"]).items():
    print(f"{float(level):8.3%}  a month: {row['month']:8.1f} s   a day: {row['day']:7.2f} s")

# %% [markdown]
# Each nine divides by ten. With four of them a month has four minutes, and no person wakes up, logs in and understands in that
# time. From there on, only machines keep the promise.
#
# **Trap:** a month is 30 days here. A contract counts the calendar's, so February allows less than March.

# %% [markdown] covers: M8-T3 M8-T5
# ## What would a customer count?
# A share needs two counts. *All events*: requests that customers sent, without health checks and scrapes. *Bad events*: those that we failed.
# "Availability" and "error rate" are the same share, read from two sides; keep one. These are the gateway's answers of June 2026.
# Which codes spend its budget?

# %%
guess("m08.g2", ...)

# %% frozen covers: M8-Q1
gateway = 'http_requests_total{job="gateway"}'
codes = archive.query(f"sum by (code) (increase({gateway}[30d]))").sort_values("code")
print(codes.round().to_string(index=False))

# %% frozen covers: M8-Q3 M8-Q9 M8-T3
failed = 'http_requests_total{job="gateway", code=~"5.."}'
june = slo.Counts(archive.value(f"sum(increase({failed}[30d]))"), archive.value(f"sum(increase({gateway}[30d]))"))
print(f"{june.bad:,.0f} of {june.total:,.0f} failed: availability {slo.availability(june):.3%}")

# %%
guess("m08.g2").beside("502 and 504")

# %% [markdown] covers: M8-Q15
# A declined card (402) is an answer: the service did its job. So is *sold out* (409), for this objective. A 429 would be ours as long as honest
# customers get it. Decide such codes once and write them into one rule. A dashboard that counts 429 beside an alert that does not is
# two truths about one service.
#
# **Trap:** write `bad / total`, never `1 - good / total`. When everything fails there may be no good series at all, the
# query has no answer, and no answer raises no alert.

# %% [markdown]
# ## Was it of any use to them?
# From the 18th to the 21st of June the shop's nightly restocking did not run, and nobody was paged. What did customers who wanted to buy get, day by day?

# %% frozen
lost = 'sum(increase(shop_orders_total{result="out_of_stock"}[1d])) / sum(increase(shop_orders_total[1d]))'
errors = f"sum(increase({failed}[1d])) / sum(increase({gateway}[1d]))"
for day in range(17, 23):
    midnight = archive.at(day + 1)
    print(f"{day} June: {archive.value(lost, at=midnight):6.1%} sold out, {archive.value(errors, at=midnight):.3%} failed")

# %% [markdown] covers: M8-O1
# On the 20th seven orders in ten were turned away, and the availability SLI saw a perfect day. An SLI that follows the journey,
# *orders placed over orders wanted*, would have seen it. So begin with what a customer wants to do here: look, choose, pay, get
# a confirmation. Ask of each step: was it answered, in time, right, and fresh? Two or three such SLIs are enough; forty are a dashboard.

# %% [markdown]
# ## Where do you stand when you measure?
# The same three incidents, counted at the frontend, at the gateway and at payments. One was a database that was down, one a bad
# release of payments, one a network: a frontend no longer reached the gateway. Guess: how many failures of the last does the gateway count?

# %%
guess("m08.g3", ...)

# %% frozen
print("failed requests   frontend  gateway  payments")
for day, end, minutes in ((15, "10:20", 50), (17, "14:50", 45), (27, "20:30", 20)):
    jobs = [f'sum(increase(http_requests_total{{job="{job}", code=~"5.."}}[{minutes}m]))' for job in ("frontend", "gateway", "payments")]
    values = [archive.value(one, at=archive.at(day, end)) for one in jobs]
    print(f"{day} June, to {end}", *(f"{value:8.0f}" for value in values))

# %%
guess("m08.g3").beside(round(values[1]), "failures")

# %% [markdown]
# On the 17th payments failed 118 times and customers saw 25 of them: the gateway tried again. On the 27th customers saw 382
# failures, and the gateway none: nothing reached it. On the 15th payments count none: orders died before they came to it.
#
# **Trap:** an SLI measured inside a service cannot see that service disappear. Measure where the customer is: at the edge, or with a
# probe from outside. The inner ones explain; the outer one is the promise.

# %% [markdown] covers: M8-T7 M8-T8
# ## Minutes or requests?
# Count requests, and a busy minute weighs more than a quiet one. Count minutes (*window-based*: a minute is good when the share of the five before it is
# good enough), and they weigh the same. Or average the shares, which is what many dashboards do. Guess: which of the three gives June the best figure?

# %%
guess("m08.g4", ...)

# %% frozen covers: M8-T7 M8-T8 M8-Q2
share = "sum(rate({}[5m])) / sum(rate({}[5m]))".format(failed, gateway)
print(f"requests: {slo.availability(june):.3%}")
print(f"average of five-minute shares: {1 - archive.value(f'avg_over_time(({share})[30d:5m])'):.3%}")
print(f"good minutes: {archive.value(f'avg_over_time(({share} <= bool 0.001)[30d:1m])'):.3%}")

# %%
guess("m08.g4").beside("the average of shares")

# %% [markdown]
# One month, three numbers, each right for another question. The outage of the 15th fell into a Monday morning: many requests in
# few minutes, so the average makes light of it. Good minutes are harsh: one failure too many counts as if all had failed. Sloth,
# a generator of rules, averages 5-minute shares, since `[30d]` at each evaluation is dear. The rules below count requests.
#
# **Trap:** `sum(up == 1) / count(up)` is called window-based in places. It is a share of targets at one moment. When all are
# down, `sum(up == 1)` is not 0 but empty.

# %% [markdown] covers: M8-T4
# ## How slow is too slow?
# A latency SLI is a share too: requests answered within a threshold. On the 22nd a report held the database's rows for two hours. Here is
# that day, for orders that went through. What share of them took longer than 250 ms, in percent?

# %%
guess("m08.g5", ...)

# %% frozen covers: M8-T4 M8-Q16
times = 'http_request_duration_seconds{}{{job="gateway", code="201"}}'
day = archive.query(f"sum by (le) (increase({times.format('_bucket')}[1d]))", at=archive.at(23))
buckets = dict(zip(day["le"], day["value"]))
mean = f"sum(increase({times.format('_sum')}[1d])) / sum(increase({times.format('_count')}[1d]))"
slower = slo.error_ratio(slo.within(buckets, 0.25))
print(f"slower than 250 ms: {slower:.1%}; mean of the day: {archive.value(mean, at=archive.at(23)):.3f} s")

# %%
guess("m08.g5").beside(round(slower * 100, 1), "%")

# %% frozen covers: M8-Q4
try:
    slo.within(buckets, 0.2)
except Exception as refusal:
    print(refusal)
p95 = f"histogram_quantile(0.95, sum by (le) (rate({times.format('_bucket')}[5m])))"
for clock in ("12:00", "14:00"):
    print(clock, "p95 below 0.25:", len(archive.query(f"{p95} < 0.25", at=archive.at(22, clock))), "series")

# %% [markdown] covers: M8-T11
# The mean of that day is below the threshold that one order in eight missed: nobody has the mean experience.
#
# **Trap:** a threshold that is no bucket's bound gives *nothing*, for ever: nobody refuses `le="0.2"`. And
# `p95 < 0.25` is no SLI: a comparison filters, so it gives a duration or nothing, never a share. An API usually gets two
# objectives, each with one number: 99.9 % of requests answered, 98 % of orders within 250 ms.
#
# `histogram_fraction(0, 0.2, …)` takes any threshold, and guesses within the bucket. Native histograms have narrow ones.

# %% [markdown] covers: M8-T12 M8-T13
# ## What does a database promise, and a queue?
# A database: scrapes that it answered, queries within 100 ms. A queue: messages done, and *freshness*, the share of time in which the
# oldest message was young enough. A shop as a whole: minutes in which somebody wanted to buy, and somebody could. Each is good over all again.

# %% frozen covers: M8-Q5 M8-Q6 M8-Q17 M8-Q18
queries = "inventory_db_query_duration_seconds"
quick = f'sum(increase({queries}_bucket{{le="0.1"}}[30d])) / sum(increase({queries}_count[30d]))'
print(f"PostgreSQL answered the exporter: {archive.value('avg_over_time(pg_up[30d])'):.3%}")
print(f"queries within 100 ms: {archive.value(quick):.3%}")

# %% frozen covers: M8-Q7 M8-Q8 M8-T13 M8-T6
done, broken = (f"sum(increase(inventory_outbox_{name}_total[7d]))" for name in ("processed", "failures"))
fresh = "avg_over_time((max(inventory_outbox_oldest_age_seconds) <= bool 300)[7d:1m])"
wanted, placed = "sum(rate(shop_orders_total[5m])) > 0", 'sum(rate(shop_orders_total{result="placed"}[5m])) > bool 0'
print(f"confirmations sent, of all tries in the last week: {archive.value(f'{done} / ({done} + {broken})'):.3%}")
print(f"the oldest younger than 300 s: {archive.value(fresh):.3%} of the week")
print(f"minutes with demand in which an order went through: {archive.value(f'avg_over_time((({placed}) and {wanted})[30d:1m])'):.3%}")

# %% [markdown]
# *Throughput above 1000 a minute* is no SLI: few customers at night are no failure. Minutes with demand and a sale are.
#
# **Trap:** `rate((pg_up == 0)[5m:])` is a popular database SLI, and it is 0 or empty however often the database is down: `pg_up` is a gauge, and all that is left of it here are zeros.
# `1 - avg_over_time(pg_up[…])` counts its zeros. It says that an exporter was answered; the query times say what the shop felt.

# %% [markdown] covers: M8-T14
# ## What did the 15th cost?
# PostgreSQL was down from 09:30 to 10:15. By time that is 45 minutes, a little more than the budget of 99.9 %. By requests, in percent?
# Compute it by hand from two numbers: 1,921 requests of the gateway failed that day, of 1,391,547 in June.

# %%
guess("m08.g6", ...)

# %% frozen covers: M8-Q10 M8-O3 M8-Q20
outage = archive.value(f"sum(increase({failed}[1d]))", at=archive.at(16))
may_fail = slo.allowed_events("0.999", june.total)
print(f"by time: 45 of {slo.allowed_seconds('0.999', '30d') / 60:.1f} minutes, {slo.spent_by_burning(1000, '45m', '30d'):.1%} of the budget")
print(f"{outage:.0f} failed, {may_fail:.1f} may fail in June: {outage / may_fail:.1%} of the budget in one morning")

# %%
guess("m08.g6").beside(round(outage / may_fail * 100, 1), "%")

# %% frozen covers: M8-Q11 M8-Q21
left = f"1 - sum(increase({failed}[30d])) / {june.total:.0f} / 0.001"
rolling = f"1 - sum(increase({failed}[30d])) / sum(increase({gateway}[30d])) / 0.001"
burn = f"sum(rate({failed}[1h])) / sum(rate({gateway}[1h])) / 0.001"
for day, clock in ((14, "12:00"), (15, "10:00"), (15, "11:00"), (30, "23:59")):
    month, so_far, speed = (archive.value(query, at=archive.at(day, clock)) for query in (left, rolling, burn))
    print(f"{day} June {clock}  left of June's budget {month:7.1%}, of the days so far {so_far:7.1%}; burn rate over 1 h {speed:6.1f}")

# %%
archive.plot(left, start=archive.at(2), unit="budget left", title="June, gateway, 99.9 %")

# %% [markdown]
# A Monday morning carries more requests than an average 45 minutes, so events say more than the clock. The *burn rate*, the last column, is for a
# later section. Below zero the objective is missed. A formula that stops at 0, or takes `(target - actual)` for what is spent, hides by how much.
#
# **Trap:** on the 15th `[30d]` took the fourteen days that there were, and the rolling figure was worse for it: fewer requests, the same failures. A server
# that keeps 15 days (the default) answers so for ever. Keep more than the period: `--storage.tsdb.retention.time=35d`, or remote storage.

# %% [markdown] covers: M8-O2
# ## Which objective would you agree to?
# Look at what users got before you promise. For each objective: on how many days of June would it have been kept, and would June as a whole?

# %% frozen covers: M8-O2
daily = archive.query_range(f"{errors} or vector(0)", start=archive.at(1, "23:59"), step="1d").iloc[:, 0]
for objective in ("0.99", "0.995", "0.999", "0.9995"):
    kept = sum(ratio <= slo.allowed_events(objective, 1) for ratio in daily)
    print(f"{float(objective):.2%}: {kept} of {len(daily)} days, budget left in June {slo.left(june, objective):7.1%}")

# %% [markdown]
# 99.9 % would be missed, mostly through one morning, 99.5 % kept with more than half to spare. The number is right when missing it hurts
# customers and keeping it does not. Ask support when complaints begin, and agree on it with the people who will have to stop releasing.

# %% [markdown] covers: M8-T9
# ## Why 14.4?
# A **burn rate** says how many times faster than allowed the budget goes; 1 spends it exactly by the period's end. An alert should come when a sizeable
# part is gone. To spend 2 % of 30 days in one hour of 720 takes 0.02 × 720. How long does a whole budget last at that speed: two hours or two days?

# %%
guess("m08.g7", ...)

# %% frozen covers: M8-T9
print(f"at 14.4 the whole budget lasts {slo.exhaustion_seconds(14.4, '30d') / 3600:.0f} hours")
for row in slo.SLOTH_30D.rows:
    factors = [round(row.factor(policy.period), 2) for policy in (slo.SLOTH_30D, slo.SLOTH_28D)]
    print(f"{row.severity:6} {slo.words(row.long):>3} and {slo.words(row.short):>3}: {float(row.budget_share):.0%} spent, burn rate {factors}")
print(f"the highest burn rate there is, at an objective of 90 %: {slo.highest_burn_rate('0.9'):.0f}")

# %%
guess("m08.g7").beside("two days")

# %% [markdown]
# Fifty hours; texts that say two hours are wrong. 14.4 belongs to 30 days, 1 hour and 2 % alone: 28 days have another factor.
# The rows are those of Google's SRE workbook. Three stand in its table, the fourth (a day at 3) in its example of a rule; Sloth has all four.
#
# **Trap:** with 90 %, a burn rate of 14.4 would need 144 % errors. Such an alert cannot fire, and nobody will be told.

# %% [markdown] covers: M8-T15
# ## When does an alert come, and when does it go?
# When errors begin, the ratio over a window rises evenly. If a share e fails, it passes a limit L after L / e of the window. After the last error it falls
# below L when another 1 - L / e of the window is over.
#
# The workbook compares six ways. 1 and 2: one window (10 m, 36 h). 3: 1 m with `for: 1h`. 4: a burn rate of 36 over 1 h. 5: several rates. 6: two
# windows for each. In a whole outage of 45 minutes, at 99.9 %: which never comes?

# %%
guess("m08.g8", ...)

# %% frozen covers: M8-T15
for alert in slo.approaches(slo.WORKBOOK_30D):
    comes, goes = (of(alert, 1, "0.999", "45m") for of in (slo.detection_seconds, slo.reset_seconds))
    print(f"{alert.name:41}", "never" if comes is None else f"after {comes:6.1f} s, ends {goes / 60:6.1f} min after the errors")

# %%
print(guess("m08.g8").beside(3))
slo.plot_detection("0.999")

# %% [markdown] covers: M8-O4
# 3 waits an hour whatever happens: the outage is over by then. 2 comes soon and stays for a day and a half. The sixth's page has two rows, joined by *or*:
# 1 h with 5 m, and 6 h with 30 m. The long window decides, the short one lets go; the second row is the last to do so. In the picture 5 and 6 have a
# step: below it only the six-hour row is left.
#
# **Trap:** a `for:` on top of these windows only makes them late. And two windows mean *and*: `1h and 5m`. Alone, 5 minutes are
# noise, and an hour goes on long after all is well.

# %% [markdown] covers: F3-Q11 F3-Q12
# ## What would each have done on the 15th?
# The same six, minute by minute, on what the gateway really counted in June. The outage began at 09:30. Guess: how many minutes later
# does the page of the sixth come, and how long does it stay?

# %%
guess("m08.g9", ...)

# %% frozen covers: M8-Q12 M8-Q13
counted = slo.counted(total=archive.counters(gateway), bad=archive.counters(failed))
fired = slo.backtest_all(counted, slo.approaches(slo.WORKBOOK_30D), "0.999")
monday = fired[(fired.start >= archive.at(15)) & (fired.start < archive.at(16))]
for one in monday.itertuples():
    print(f"{one.alert:41} {one.start:%H:%M} to {one.end:%d June %H:%M}")

# %%
page = monday[monday.alert == "6 several windows and burn rates, page"].iloc[0]
later = (page.start - archive.at(15, "09:30")).seconds // 60
print(guess("m08.g9").beside(f"{later} minute later, for {page.minutes:.0f} minutes"))
slo.plot_firings(monday, archive.at(15, "09:00"), archive.at(15, "18:00"), errors=(archive.at(15, "09:30"), archive.at(15, "10:15")))

# %% [markdown] covers: M8-Q14 F3-Q13
# The model was right within a few minutes, though traffic is not even. The ticket stays until the afternoon, and the day and a half of the second would have
# hidden a new outage on the 16th.
#
# There is a seventh in use: a page when *the 30-day ratio is below the objective*. It comes when the budget is gone. It stays for as long as the 15th is in
# the window, with nothing to be done at 3 a.m. That is a line of the report.

# %% [markdown]
# ## And on the 22nd?
# No request failed that day. The latency SLI, 98 % of orders within 250 ms, has something to say from 13:00 to 15:00. Guess: how many times does the first
# kind of alert fire on that day?

# %%
guess("m08.g10", ...)

# %% frozen
orders = 'http_request_duration_seconds{}{{job="gateway", code="201"{}}}'
every, within = (archive.counters(orders.format(*words)) for words in (("_count", ""), ("_bucket", ', le="0.25"')))
slow = slo.counted(total=every, good=within)
fired = slo.backtest_all(slow, slo.approaches(slo.WORKBOOK_30D), "0.98")
noisy = fired[(fired.end > archive.at(22)) & (fired.start < archive.at(23))]
for name, times_fired in noisy.groupby("alert"):
    hit = times_fired[times_fired.end > archive.at(22, "13:05")].iloc[0]
    print(f"{name:41} {len(times_fired):3} x; {hit.start:%d June %H:%M} to {hit.end:%d June %H:%M}")
print(f"in all of June the first fired {(fired.alert == fired.alert.min()).sum()} times")
print(f"a page wants {14.4 * 0.02:.1%} slow orders in an hour; of failures, at 99.9 %, {14.4 * 0.001:.2%}")

# %%
guess("m08.g10").beside(int((noisy.alert == "1 error ratio over 10 m").sum()), "times")

# %% [markdown]
# The first kind fires on a slow order or two in ten minutes, on this day as on any other. That is true each time, and no reason to wake anybody. The sixth
# paged once that day, and let go half an hour after the report had ended. It took a quarter of an hour, not a minute, because the objective is laxer. 14.4
# means 28.8 % slow orders here, and 1.44 % failures there. The third came at last, an hour late.

# %% [markdown]
# ## What if the error was never seen before?
# A series with a new label is born with its first event. Inventory's `code="503"` did not exist before the 15th. `increase` begins at
# a series' first sample, so what that sample already holds is lost. How many failures of that morning were never seen?

# %%
guess("m08.g11", ...)

# %% frozen
born = 'http_requests_total{job="inventory", code="503"}'
morning = archive.counters(born).loc[: archive.at(15, "10:20")]
held, lost = morning.iloc[-1].sum(), slo.lost_at_birth(morning)
early = archive.query(f"sum(rate({born}[5m]))", at=archive.at(15, "09:31"))
print(f"at 09:31, a minute into the outage, rate() finds {len(early)} series")
print(f"at 10:20 the counters hold {held:.0f} failures; their first samples held {lost:.0f} of them, {lost / held:.1%}")

# %%
guess("m08.g11").beside(round(lost), "failures")

# %% [markdown]
# Little was lost, since the outage was long. With few requests, or an outage that fits between two scrapes, the first sample is
# also the last, and all of it is lost. Two cures. The service creates its error series at 0 when it starts, as this shop's
# gateway does. And the rule reads a missing bad series as 0, so that its ratio has a value: `(bad or 0 * total) / total`.

# %% [markdown]
# ## What if hardly anybody comes?
# Budgets are shares, and shares of few are wild. How often is payments asked in a quiet hour of the night, and what does a single failure do?

# %% frozen
night = round(archive.value('sum(increase(http_requests_total{job="payments"}[1h]))', at=archive.at(8, "03:00")))
print(f"{night} payments from 02:00 to 03:00; one failure is a burn rate of {slo.burn_rate(1 / night, '0.999'):.1f}")
low, high = slo.interval(slo.Counts(1, night))
print(f"the true error ratio, after one failure of {night}: with 95 % confidence from {low:.3%} to {high:.3%}")
for total in (100, 1_000, 10_000):
    print(f"with {total:6} requests in 30 days one failure spends {slo.one_failure(total, '0.999'):8.1%} of the budget")

# %% [markdown]
# With a thousand requests a period one failure is the whole budget: burn rates are dice there. Add artificial customers (a probe), join small services into one objective, count a longer
# window, or lower the objective. Do not add `for:` and hope.

# %% [markdown] covers: M8-A1 M8-S1 M8-T19
# ## How do objectives become rules?
# Nobody writes eight windows by hand. A generator makes them from a short specification: **Sloth** on the command line (`sloth generate -i SPEC -o RULES`),
# Pyrra as a server, and cloud vendors have their own. This is Sloth's format, for the gateway (`database.yaml` beside it: the database). Its objective is
# a percentage, and a query without `{{.window}}` is refused. Then the lab makes rules of the first of the two:

# %%
workspace.show("files/m08/api-service.yaml")

# %% covers: M8-C3 F3-Q14
spec = slo.SLO("gateway", "availability", "0.999", slo.Events(total=gateway, bad=failed), slo.Rolling("30d"))
written = workspace.write("prometheus/rules/gateway-slo.yml", slo.rule_file(spec))
records, alerts = slo.rules(spec)["groups"]
for rule in (records["rules"][0], alerts["rules"][0]):
    print(rule.get("record") or rule["alert"], rule["expr"], rule["labels"], "", sep="\n")

# %% covers: M8-A2 M8-S2
print(promtool("check", "rules", "prometheus/rules/gateway-slo.yml"))
stack.reload("prometheus")

# %% [markdown] covers: F3-Q15 F3-Q16
# The file has records (an error ratio a window, the objective, what is left of the budget) and two alerts, a page and a ticket. Let dashboards,
# reports and gates read the records, and all of them tell the same story. Payments gets the same file with its own counters.
#
# **Trap:** a file that does not end as `rule_files` says, or lies where the server does not look, is no error. Its alerts are
# silent for good. Ask the server what it has loaded:

# %%
stack.own("prometheus")
wait_until(lambda: set(prom.rules(file="gateway-slo.yml").health) == {"ok"}, seconds=60, what="each rule was evaluated")
loaded = prom.rules(file="gateway-slo.yml")
print(len(loaded), "rules are loaded; health:", *sorted(set(loaded.health)))

# %% [markdown]
# ## How many budgets does one fault spend?
# Now live. Payments will answer 40 % of its requests with an error for a few seconds, while customers come: half of them look, half order. The same fault is
# counted by the customers themselves (k6), by the gateway and by payments. Guess: who has the largest share of failures?

# %%
guess("m08.g12", ...)

# %%
stack.up("m08", "shop-core")

# %%
def so_far(job):
    """Failed and all requests that a service has counted since it started; series of an earlier start may still be in sight."""
    asked = 'sum(http_requests_total{%s} and timestamp(http_requests_total{%s}) > time() - 15) or vector(0)'
    return [prom.value(asked % (one, one)) for one in (f'job="{job}", code=~"5.."', f'job="{job}"')]

def scraped():
    """Waits until both services were scraped after this call."""
    now, oldest = prom.value("time()"), 'min(timestamp(up{job=~"gateway|payments"}))'
    return wait_until(lambda: prom.query(f"{oldest} > {now}"), seconds=30, what="both were scraped (the shop is up)")

# %%
scraped()
before = {job: so_far(job) for job in ("gateway", "payments")}
print(shop.fault("payments.errors", share=0.4))
print(shop.load("steady", rate=30, seconds=10, mix={"browse": 0.5, "order": 0.5}))
seen = shop.load.wait()
print(shop.fault.clear())
seen[["action", "status", "count", "p95"]]

# %%
stack.own("gateway")
scraped()
lost = seen[(seen.status >= 500) | (seen.status == 0)]["count"].sum()
places = {"customers": slo.Counts(float(lost), float(seen["count"].sum()))}
for job, then in before.items():
    places[job] = slo.Counts(*(now - past for now, past in zip(so_far(job), then)))
print(guess("m08.g12").beside("payments"))
for place, one in places.items():
    share = slo.error_ratio(one)
    print(f"{place:9} {one.bad:4.0f} of {one.total:4.0f} failed, {share:6.1%}: burn rate {slo.burn_rate(share, '0.999'):5.0f}")

# %% [markdown]
# Payments counts each try and what follows it (captures, refunds). The gateway counts each order after its second try, the customers also pages that need
# no payment. So one fault spends three budgets at three speeds. The promise is the outermost one; the inner ones tell the teams whose turn it is.
#
# The rules that you loaded have seen it too. A young server's hour is the few minutes that it has, so the page comes with the next evaluation. *Budget
# left* says how many budgets of those minutes are overdrawn:

# %%
stack.own("prometheus")
paged = 'ALERTS{alertstate="firing", severity="page", slo="availability"}'
wait_until(lambda: prom.query(paged), seconds=30, what="the page fires")
recorded = prom.query('{__name__=~"slo:(errors_per_request:ratio_rate(5m|1h)|budget_left:ratio)", slo="availability"}')
recorded[["__name__", "value"]]

# %% [markdown] covers: M8-T16 M8-A3 M8-O5
# ## What belongs on the dashboard?
# Five things, in this order. Is the objective kept? What is left? How fast is it going (with the lines of the alerts)? How did it get here? What
# spent it? No CPU. Here it is for the frontend, with June as its range and an objective of 99.9 %:

# %% covers: M8-C4 M8-Q19
dashboard.show("slo", start=archive.at(1), end=archive.at(30, "23:59"), objective="0.999")

# %% [markdown]
# At the frontend June kept 99.9 %: its pages come from its own memory, and only a part of its requests needs the gateway. Another place, another budget.
#
# **Trap:** *budget left* is computed over the range you look at: choose the six hours around the outage, and it is overdrawn many times. A gauge that shows the last
# five minutes as "SLO status" makes the same mistake without a range to warn you.

# %% [markdown] covers: M8-T18 M8-O6
# ## What does the report say at the end of the month?
# Its parts: what was promised, what was kept, what spent the budget, what is done about it. Each incident's part is computed from *its own failed
# events*: minutes of an outage times a guess add up to whatever one wants. Objectives are 99.9 %, for payments 99.5 %. Guess: which of the three services kept its own?

# %%
guess("m08.g13", ...)

# %% frozen covers: M8-P1 M8-A5 F7-P4
happened = ("database outage", 15, "09:30", "10:15"), ("bad deploy", 17, "14:06", "14:46"), ("disk full", 25, "05:20", "06:00")
incidents = [slo.Incident(name, archive.at(day, start), archive.at(day, end)) for name, day, start, end in happened]
books = []
for job, objective in (("gateway", "0.999"), ("payments", "0.995"), ("inventory", "0.999")):
    every = f'http_requests_total{{job="{job}"}}'
    wrong = f'http_requests_total{{job="{job}", code=~"5.."}}'
    one = slo.SLO(job, "availability", objective, slo.Events(total=every, bad=wrong))
    books.append((one, slo.counted(total=archive.counters(every), bad=archive.counters(wrong))))
report = slo.month(books, incidents)
for line in report:
    parts = ", ".join(f"{name} {part:.1%}" for name, part in line.spenders.items())
    print(f"{line.slo.service:9} {line.availability:.3%}, left {line.left:7.1%}; spent by {parts}")

# %%
print(guess("m08.g13").beside("payments"))
print(slo.review(report))

# %% [markdown] covers: M8-A4 M8-O9
# ## What happens when the budget is empty?
# That is agreed on while it is full, else it is an argument between two tired people. One table, in one file, and a program reads the same file.
# It stops features, never the work that makes things reliable: that is a kind of change of its own. Guess: may a feature be released at 19 % left?

# %%
guess("m08.g14", ...)

# %%
workspace.show("files/m08/error-budget-policy.md")

# %% frozen covers: M8-T10 M8-O7 M8-O10 M8-P2
agreed = slo.agreement({"slos": [{"service": "gateway", "name": "availability", "objective": 0.999, "total": gateway, "bad": failed}]})
kinds = ("feature", "fix", "reliability", "security")
for ratio in (0.0004, 0.00065, 0.00081, 0.0012, None):
    decisions = [slo.gate({"gateway-availability": ratio}, agreed, kind)[0] for kind in kinds]
    passes = [kind for kind, one in zip(kinds, decisions) if one.open]
    print(f"{'unknown' if ratio is None else f'{decisions[0].left:.0%} left':10} {decisions[0].level:8} may go out: {', '.join(passes)}")

# %% [markdown] covers: M8-A6 M8-C6 M8-S3
# The row *unknown* is the one that is forgotten: **no data is not 100 %**. In a terminal the gate is a command for a pipeline, with exit code 1 when a
# release must wait: `./lab gate workspace/files/m08/services.yaml`. `files/m08/gate.cron` runs it every quarter of an hour. A gate that runs
# by itself but stops nothing is a log line: make the release wait for its exit code. Exceptions are in the file, with a name, a reason and a last day.

# %%
print(guess("m08.g14").beside("no"))
for day, clock in ((15, "09:00"), (15, "10:00"), (15, "11:00")):
    ratio = archive.value(f"sum(increase({failed}[30d])) / {june.total:.0f}", at=archive.at(day, clock))
    print(clock, slo.gate({"gateway-availability": ratio}, agreed)[0].reason)

# %% [markdown] covers: M8-T17 M8-B1 M8-P3
# ## What is a journey worth?
# An order passes four steps, and each has its own objective. When failures have nothing to do with each other, shares multiply. Guess: four steps
# of 99.95 %, 99.9 %, 99.9 % and 99.9 %: what can be promised for all?

# %%
guess("m08.g15", ...)

# %% frozen covers: M8-T17 M8-B1 M8-P3 M8-O8
steps = ["0.9995", "0.999", "0.999", "0.999"]
low, high = slo.bounds(steps)
print(f"independent: {slo.serial(steps):.4%}; whatever hangs together: from {low:.4%} to {high:.4%}")
print(f"each of four steps, for 99.9 % together: {slo.required_part('0.999', 4):.4%}")
print(f"two instances of 99 %, one is enough: {slo.parallel(['0.99', '0.99']):.2%}")
print(f"a service that needs two others, of 99.95 % and 99.9 %, reaches at most {slo.ceiling(['0.9995', '0.999']):.3%}")

# %%
guess("m08.g15").beside(f"{slo.serial(steps):.2%}")

# %% [markdown]
# Rounding 99.65 up to 99.7 would promise more than the steps give. And they do hang together: the database that was down failed looking
# and ordering at once. So measure the journey itself, and use the product to see which step costs most.

# %% [markdown] covers: M8-P4
# ## Would we keep it next year?
# June is one month. Incidents come when they like, so draw ten thousand years of them: three outages a year, a bad release a month, lengths that
# spread. Same seed, same years. Guess: how many in a hundred years keep 99.9 %?

# %%
guess("m08.g16", ...)

# %% frozen covers: M8-B3
kinds = [slo.Kind("outage", 3, slo.length("30m"), 0.8, 1.0), slo.Kind("bad release", 12, slo.length("20m"), 0.5, 0.25)]
years = {objective: slo.simulate(kinds, objective, seed=8) for objective in ("0.999", "0.9995", "0.9999")}
for objective, year in years.items():
    print(f"{float(objective):.2%}: kept in {year.kept:.1%} of years (± {year.kept_error:.1%}); a middling year has {year.availability[1]:.3%}")

# %% [markdown]
# June lost 99.9 % through a single outage, and a year with three of them mostly keeps it. A year's budget is twelve times a month's, so a long period
# forgives, and an empty month warns. Choose it by how long your customers remember.

# %% [markdown] covers: M8-T20
# ## What does a nine cost?
# An hour without the shop costs its owners something: 14,000 an hour, say, if sales were even. They are not, and some customers come back
# later, so take it as a range. What may the step from three nines to four cost a month, at most, with 14,000 an hour?

# %%
print(guess("m08.g16").beside(round(years["0.999"].kept * 100), "years"))
guess("m08.g17", ...)

# %% frozen covers: M8-T20
for per_hour in (5_000, 14_000, 40_000):
    print(f"at {per_hour:6,} an hour: {slo.worth_of('0.999', '0.9999', '30d', per_hour):8,.0f} a month saved, at most")
tiers = [slo.Credit("0.999", "0.1"), slo.Credit("0.99", "0.25")]
print(f"June, under a contract with 10 % back below 99.9 %: {slo.credit(slo.availability(june), tiers, 1000):.0f} of 1000")

# %%
guess("m08.g17").beside(round(slo.worth_of("0.999", "0.9999", "30d", 14_000)), "a month")

# %% [markdown] covers: M8-B2 M8-S4
# Hold against it what a second site, a database that fails over and people on call cost. The next nine needs a reason with a number.
#
# The number can then live beside the rest of your infrastructure. Terraform has a resource for it (`files/m08/grafana-slo.tf`), with a trap: `grafana_slo`
# wants Grafana Cloud or its SLO app, so Grafana's open-source server refuses it. There the same objective is a file for Sloth or Pyrra.

# %% [markdown] covers: M8-T21
# ## What to take away
# - An SLI is good over all events, counted where the customer is. Count events, not averages of shares.
# - 14.4 is 2 % of 30 days in an hour. The long window decides, the short one lets go, and no `for:` is needed.
# - Missing data is not 100 %: not in a rule, not in a report, not at a gate.
# - An incident's cost is its failed events over those allowed, and it does not stop at 100 %.
# - The policy is agreed on while the budget is full.
#
# ## On your own
# - Write the SLI that would have seen the 18th to the 21st, and backtest a page on it.
# - Which objective for orders within 500 ms would June have kept? Would you promise it?
# - Change a level of `files/m08/services.yaml`, and ask the gate about the 15th: `--service archive-prometheus --at 2026-06-15T11:00`.
#
# ## In practice
# - Begin with one journey, one SLI, a lax objective. Tighten it when nobody complains and nothing is learned.
# - The SRE book's principles: embrace risk, set objectives, cut toil, monitor for symptoms, automate, release in small steps, keep it simple.
# - Review objectives every month (`files/m08/ops-review.md`): too strict and too lax are both findings. Each page wants a runbook (`runbook.md`).
#
# ## Further reading
# - Google's [SRE book](https://sre.google/sre-book/service-level-objectives/), and in its workbook
#   [Implementing SLOs](https://sre.google/workbook/implementing-slos/) and [Alerting on SLOs](https://sre.google/workbook/alerting-on-slos/)
# - [Sloth](https://sloth.dev), [Pyrra](https://github.com/pyrra-dev/pyrra), [OpenSLO](https://openslo.com)
# - A. Hidalgo, *Implementing Service Level Objectives*, O'Reilly 2020

# %%
workspace.remove("prometheus/rules/gateway-slo.yml")
stack.down("m08", "month", "shop-core")

# %% [markdown]
# # Objectives: tasks
# Seventeen questions: budgets and burn rates by hand, then June 2026 by query. Give a number its unit, as in `"21.6 min"` or `"46 %"`. A query is
# judged by what it gives at a hundred instants or more; how you write it is up to you.
#
# **You will do:** compute budgets, factors, detection and reset times; choose what counts as bad; ask an error ratio, a budget and a
# latency share.
#
# **You need:** 60 minutes, about 100 MB of memory, and the lesson `08_slo` behind you. `hint("m08.q1")` tells a little more each
# time, `solution("m08.q1")` asks once before it tells.

# %% setup
from monlab import archive, check, hint, solution, stack

# %%
stack.up("month")

# %% [markdown]
# ## Budgets by hand

# %% [markdown] exercise: m08.q1
# **Task 1.** What does an objective of 99.95 % allow in 30 days, as time without any service?

# %% solution
q1 = "21.6 min"

# %%
check("m08.q1", q1)

# %% [markdown] exercise: m08.q2
# **Task 2.** The service of task 1 was down for ten minutes. Which part of its budget is spent, in %?

# %% solution
q2 = "46.3 %"

# %%
check("m08.q2", q2)

# %% [markdown] exercise: m08.q3
# **Task 3.** The objective is 99.9 %, and 2 % of the requests fail. How many times faster than allowed does the budget go?

# %% solution
q3 = 20

# %%
check("m08.q3", q3)

# %% [markdown]
# ## Alerts by hand

# %% [markdown] exercise: m08.q4
# **Task 4.** An alert is to come when 5 % of a 30-day budget are spent within one hour. From which burn rate on?

# %% solution
q4 = 36

# %%
check("m08.q4", q4)

# %% [markdown] exercise: m08.q5
# **Task 5.** The first row of the workbook, 2 % in one hour, for a period of 28 days: which burn rate?

# %% solution
q5 = 13.44

# %%
check("m08.q5", q5)

# %% [markdown] exercise: m08.q6
# **Task 6.** How long does a whole 30-day budget last at a burn rate of 14.4?

# %% solution
q6 = "50 h"

# %%
check("m08.q6", q6)

# %% [markdown] exercise: m08.q7
# **Task 7.** Everything fails from now on, and the objective is 99.9 %. How long until the average over 36 hours is above the
# limit?

# %% solution
q7 = "129.6 s"

# %%
check("m08.q7", q7)

# %% [markdown] exercise: m08.q8
# **Task 8.** An alert asks for a burn rate of 36 over one hour, objective 99.9 %. After the end of a total outage, how long does
# it go on?

# %% solution
q8 = "57.84 min"

# %%
check("m08.q8", q8)

# %% [markdown] exercise: m08.q9
# **Task 9.** The objective is 90 %, and the alert asks for a burn rate of 14.4. When does a total outage raise it: `never`, `at
# once`, `after 6 minutes` or `after an hour`?

# %% solution
q9 = "never"

# %%
check("m08.q9", q9)

# %% [markdown]
# ## Several services, and decisions

# %% [markdown] exercise: m08.q10 covers: M8-B1
# **Task 10.** An order passes four services, each of which keeps 99.9 %. Which share of orders can be promised, when failures are
# independent? In %, with three digits after the point or more.

# %% solution
q10 = "99.6006 %"

# %%
check("m08.q10", q10)

# %% [markdown] exercise: m08.q11
# **Task 11.** Two instances, each there 99 % of the time; one is enough. For which share of the time is at least one there, in %?

# %% solution
q11 = "99.99 %"

# %%
check("m08.q11", q11)

# %% [markdown] exercise: m08.q12
# **Task 12.** The gate asks Prometheus what is left of the budget, and the query has no answer. Is the gate for new features
# `open`, `closed` or `open with a warning`?

# %% solution
q12 = "closed"

# %%
check("m08.q12", q12)

# %% [markdown] exercise: m08.q13
# **Task 13.** Which of the answers 402, 409, 500, 502, 503 and 504 would spend the shop's availability budget if the gateway gave
# them, whichever of them June had? Give a list.

# %% solution
q13 = ["500", "502", "503", "504"]

# %%
check("m08.q13", q13)

# %% [markdown]
# ## June, by query
# The metric is `http_requests_total` with `job`, `route` and `code`; durations are in `http_request_duration_seconds`.

# %% [markdown] exercise: m08.q14
# **Task 14.** What share of the gateway's requests fails (5xx), over an hour? One number from 0 to 1.

# %% solution
q14 = """
sum(rate(http_requests_total{job="gateway", code=~"5.."}[1h]))
  / sum(rate(http_requests_total{job="gateway"}[1h]))
"""

# %%
check("m08.q14", q14)

# %% [markdown] exercise: m08.q15
# **Task 15.** Objective 99.9 %, rolling over one day: which part of the gateway's budget is left? 1 is all of it; below 0 the
# objective is missed.

# %% solution
q15 = """
1 - sum(increase(http_requests_total{job="gateway", code=~"5.."}[1d]))
      / sum(increase(http_requests_total{job="gateway"}[1d]))
      / 0.001
"""

# %%
check("m08.q15", q15)

# %% [markdown] exercise: m08.q16
# **Task 16.** What share of the requests that the gateway serves (code 2xx) is answered within 250 ms, over an hour? The
# histogram's `_count` has every `code` that June has, 4xx and 5xx too. Its `_bucket` series are kept for 200 and 201 alone.

# %% solution
q16 = """
sum(rate(http_request_duration_seconds_bucket{job="gateway", code=~"2..", le="0.25"}[1h]))
  / sum(rate(http_request_duration_seconds_count{job="gateway", code=~"2.."}[1h]))
"""

# %%
check("m08.q16", q16)

# %% [markdown] exercise: m08.q17
# **Task 17.** How many requests of the gateway failed (5xx) on 15 June, from midnight to midnight? Ask the archive, and hand in
# the number.

# %% solution
q17 = archive.value('sum(increase(http_requests_total{job="gateway", code=~"5.."}[1d]))', at=archive.at(16))

# %%
check("m08.q17", q17)

# %% [markdown]
# ## Done
# `./lab export` writes your answers into a file that can be handed in; nothing leaves this machine by itself.

# %%
stack.down("month")

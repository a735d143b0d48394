"""An objective on the running shop: its rules in the live Prometheus, and one fault measured in three places."""

import json
import textwrap

import pytest
from june import archive, asked

from monlab.slo.records import from_mapping
from monlab.slo.rule_files import error_ratio_query

ORDERS = {
    "service": "gateway",
    "name": "orders",
    "objective": 0.999,
    "total": 'http_requests_total{job="gateway",route="/orders"}',
    "bad": 'http_requests_total{job="gateway",route="/orders",code=~"5.."}',
}
NATIVE = {
    "service": "payments",
    "name": "latency",
    "objective": 0.99,
    "histogram": "http_request_duration_seconds",
    "threshold_seconds": 0.3,
    "matchers": 'job="payments",route="/payments"',
    "native": True,
}
# One fault, counted by the customers, by the gateway and by payments, as counters tell it: after minus before.
THREE_PLACES = """
import json
from monlab import prom, shop, slo, wait_until, workspace, stack

workspace.write("prometheus/rules/slo.yml", slo.rule_file(*map(slo.from_mapping, SPECS)))
stack.reload("prometheus")

def so_far(job):
    # Series of an earlier start may still be in sight, for five minutes: only those that were scraped just now count.
    asked = "sum(http_requests_total{%s} and timestamp(http_requests_total{%s}) > time() - 15) or vector(0)"
    return [prom.value(asked % (one, one)) for one in (f'job="{job}",code=~"5.."', f'job="{job}"')]

def fresh():
    now = prom.value("time()")
    wait_until(lambda: prom.value('min(timestamp(up{job=~"gateway|payments"}))') > now)

wait_until(lambda: not prom.query('http_requests_total{job=~"gateway|payments"}').empty)
fresh()
before = {job: so_far(job) for job in ("gateway", "payments")}
shop.fault("payments.errors", share=0.4)
shop.load("steady", rate=30, seconds=10, mix={"browse": 0.5, "order": 0.5})
seen = shop.load.wait()
shop.fault.clear()
fresh()
failed = seen[(seen.status >= 500) | (seen.status == 0)]
counts = {"customers": slo.Counts(int(failed["count"].sum()), int(seen["count"].sum()))}
for job, (bad, total) in before.items():
    bad_now, total_now = so_far(job)
    counts[job] = slo.Counts(bad_now - bad, total_now - total)
wait_until(lambda: not prom.query('ALERTS{alertstate="firing",severity="page",slo="orders"}').empty)
wait_until(lambda: prom.value('slo:errors_per_request:ratio_rate5m{slo="latency"}') < 0.5)
recorded = prom.query('{__name__=~"slo:.*"}')
print(json.dumps({"counts": {place: [one.bad, one.total] for place, one in counts.items()},
                  "recorded": sorted(set(recorded["__name__"] + " " + recorded["slo"])),
                  "health": sorted(set(prom.rules(file="slo.yml").health))}))
"""


@pytest.fixture(scope="module")
def told(whole_shop):
    whole_shop.mend()
    script = f"SPECS = {[ORDERS, NATIVE]!r}\n" + textwrap.dedent(THREE_PLACES)
    return json.loads(whole_shop.clone.python(script).splitlines()[-1])


def test_the_live_prometheus_evaluates_the_rules(told):
    assert told["health"] == ["ok"]
    for name in ("slo:errors_per_request:ratio_rate30d", "slo:budget_left:ratio", "slo:burn_rate:ratio_rate5m"):
        assert {f"{name} orders", f"{name} latency"} <= set(told["recorded"])


def test_one_fault_spends_three_budgets(told):
    """Customers also look at pages that need no payment; the gateway asks twice; payments counts each try."""
    shares = {place: bad / total for place, (bad, total) in told["counts"].items()}
    assert 0 < shares["customers"] < 0.8 * shares["gateway"] < shares["gateway"] < 0.8 * shares["payments"]
    assert told["counts"]["customers"][0] == told["counts"]["gateway"][0]  # the frontend passes each failure on, once


@pytest.mark.live
def test_the_same_specification_has_an_answer_in_june(tmp_path):
    with archive(tmp_path / "raw") as url:
        from june import END

        [(_labels, ratio)] = asked(url, error_ratio_query(from_mapping(ORDERS), "29d"), END, END, 60)
    assert 0 < ratio.iloc[0] < 0.05

"""The mutator and the random world on references of the usual kinds, before any check relies on them."""

from pathlib import Path

import mutants
import promql_tree
import pytest
from random_series import contract
from random_world import RandomWorld, Refused, random_world
from references import REFERENCES

from monlab.settings import settings

ODD = [
    '-(histogram_quantile(0.99, sum without(instance)(rate(b[1d]))) unless ignoring(z) topk(3, c)) ^ 2 and {__name__="é"}',
    r'label_replace(up @ 12.5, "a", "$1", "b", "(.*)\n\"x\"") + Inf',
    '{"foo.bar", a="b"} offset -1h30m',
    "max_over_time((x @ start() + 1)[1h:] offset 5m)",
    "-x ^ 2 + -(x + 1) - (-1)",
    "a + on() group_right(v, w) b == bool 1e9",
    "count_values by (x) (\"y\", a{b!~'c|d'} or vector(time()))",
    "sum without () (x @ end())",
]
MADE = [
    ("errors", "matcher code=~'5..' dropped", "sum by (service) (rate(http_requests_total[5m])) / sum by (service) (rate(http_requests_total[5m]))"),
    ("errors", "/ upside down", 'sum by (service) (rate(http_requests_total[5m])) / sum by (service) (rate(http_requests_total{code=~"5.."}[5m]))'),
    ("top", "sum before rate", "topk(3, rate(sum by (route) (http_requests_total)[10m:1m]))"),
    ("p99", "quantile 0.99 -> 0.95", "histogram_quantile(0.95, sum by (service, le) (rate(http_request_duration_seconds_bucket[10m])))"),
    ("p99", "quantiles averaged over instance", "avg by (service) (histogram_quantile(0.99, sum by (service, le, instance) (rate(http_request_duration_seconds_bucket[10m]))))"),
    ("p99", "by: le dropped", "histogram_quantile(0.99, sum by (service) (rate(http_request_duration_seconds_bucket[10m])))"),
    ("versions", "version not taken over", "sum by (version) (rate(http_requests_total[5m]) * on (job, instance) group_left () shop_build_info)"),
    ("yesterday", "offset dropped", "sum(rate(shop_revenue_cents_total[1h])) / sum(rate(shop_revenue_cents_total[1h]))"),
    ("down", "== -> !=", "up != 0"),
    ("day", "unit slip x100", 'sum by (result) (increase(shop_orders_total{result!="placed"}[1d])) * 100'),
    ("hosts", "threshold 0.1 -> 0.12", "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.12 unless on (instance) (up == 0)"),
    ("age", "- upside down", 'process_start_time_seconds{job=~"gateway|payments"} - time()'),
    ("busy", "ignoring -> the other", 'inventory_db_connections{state="used"} / on (state) inventory_db_connections_max > bool 0.8'),
]  # fmt: skip
EQUAL = [  # the same by algebra, whatever the data
    ("errors", "group_left added"),
    ("p99", "sum -> avg"),  # a quantile does not change when all buckets are scaled
    ("p99", "rate -> increase"),
    ("versions", "* -> /"),  # by one
    ("restarts", "threshold 2 -> 2.4"),  # whole numbers
]


@pytest.mark.parametrize("query", [*REFERENCES.values(), *ODD])
def test_a_tree_is_written_as_the_query_it_was_read_from(world: RandomWorld, query: str):
    assert promql_tree.formatted(world.url, promql_tree.text(world.tree(query))) == promql_tree.formatted(world.url, query)


@pytest.mark.parametrize(("reference", "name", "query"), MADE)
def test_the_slips_people_make_are_among_the_mutants(world: RandomWorld, reference: str, name: str, query: str):
    found = [wrong for slip, wrong in mutants.mutants(world.tree(REFERENCES[reference])) if slip == name]
    assert promql_tree.formatted(world.url, query) in [promql_tree.formatted(world.url, wrong) for wrong in found]


@pytest.mark.parametrize(("reference", "name"), EQUAL)
def test_a_mutant_that_means_the_same_is_equal_in_the_random_world(world: RandomWorld, reference: str, name: str):
    found = [wrong for slip, wrong in mutants.mutants(world.tree(REFERENCES[reference])) if slip == name]
    assert found and all(world.equal(wrong, REFERENCES[reference]) for wrong in found)


@pytest.mark.parametrize("reference", REFERENCES)
def test_mutants_of_every_reference_differ_in_the_random_world(world: RandomWorld, reference: str):
    query = REFERENCES[reference]
    wrong = mutants.mutants(world.tree(query))
    assert not world.answer(query).empty, "the reference has no answer in the random world, so nothing can be told apart there"
    assert len(wrong) >= 5 and query not in [text for _, text in wrong]
    different = [name for name, text in wrong if not _agrees(world, text, query)]
    assert len(different) >= 0.5 * len(wrong), f"different are only {different}"


def _agrees(world: RandomWorld, query: str, reference: str) -> bool:
    try:
        return world.equal(query, reference)
    except Refused:
        return False


def test_the_world_holds_every_metric_of_the_contract(world: RandomWorld):
    for metric in contract(settings().repo / "stack" / "telemetry.yaml"):
        name = f"{metric.name}_count" if metric.kind == "histogram" else metric.name
        assert not world.answer(f"count by (job, {', '.join(metric.labels)}) ({name})").empty, name


@pytest.mark.live
def test_the_world_holds_what_a_reference_asks_for_besides(tmp_path: Path):
    query = 'sum(rate(queue_jobs_total{queue=~"mail|sms", job="worker"}[5m])) / inventory_stock{sku="HAT-001"}'
    with random_world(tmp_path / "server", [query]) as world:
        found = world.answer("count by (job, queue) (queue_jobs_total)")
        assert {dict(labels)["queue"] for labels in found.labels} == {"mail", "sms", "other"}
        assert not world.answer('inventory_stock{sku="HAT-001"}').empty


def test_a_range_vector_is_told_from_one_with_another_window(world: RandomWorld):
    assert world.equal("(node_load1[5m])", "node_load1[5m]")
    assert not world.equal("node_load1[6m]", "node_load1[5m]")
    assert not world.equal("node_load1", "node_load1[1m]") and not world.equal("time()", "vector(time())")
    with pytest.raises(Refused):
        world.answer("node_load1[5m] +")

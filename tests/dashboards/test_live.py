"""The committed dashboards over the live shop: after a minute of customers every query has an answer."""

import json

import pytest
from waits import until

NAMES = ("shop-overview", "service-red", "host-use", "business", "slo", "tracing")  # logs: until a live Loki is here
ASK = """
import json
from monlab import dashboards
found = {name: dashboards.results(name, last="5m") for name in NAMES}
print(json.dumps({name: one[(one.found == 0) | (one.error != "")][["panel", "query", "error"]].values.tolist() for name, one in found.items()}))
"""


@pytest.fixture
def customers(shop):
    """A minute and a half of customers."""
    shop.clone.python("from monlab import shop\nshop.load('steady', rate=20, seconds=90)")
    yield shop
    shop.clone.python("from monlab import shop\nshop.load.stop()")


def test_every_query_has_data_after_a_minute_of_load(customers):
    missing = {}

    def complete():
        text = customers.clone.python(f"NAMES = {NAMES!r}\n{ASK}")
        missing.clear()
        missing.update((name, rows) for name, rows in json.loads(text.strip().splitlines()[-1]).items() if rows)
        return not missing

    until(complete, 75, missing)

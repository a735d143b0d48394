"""`python -m monlab.shop.generator PLAN URL SUMMARY`: the customers where k6 is not there.

It follows the same plan and writes the same summary as stack/shop/load/shop.js.
"""

import json
import random
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

AT_ONCE = 100  # customers in the shop at once; one more is dropped and counted
ANSWER_SECONDS = 25


class Customers:
    """Arrivals by the plan, whether or not the shop keeps up."""

    def __init__(self, plan: dict[str, Any], url: str) -> None:
        self.plan, self.url = plan, url
        self.stopped = threading.Event()
        self.free = threading.Semaphore(AT_ONCE)
        self.lock = threading.Lock()
        self.counts: Counter[tuple[str, int]] = Counter()
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.dropped = 0
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["User-Agent"] = "k6-like/1 (the lab)"
        self.session.mount("http://", HTTPAdapter(pool_maxsize=AT_ONCE))

    def run(self) -> None:
        start = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for moment in arrivals(self.plan["stages"]):
                if self.stopped.wait(max(0.0, start + moment - time.monotonic())):
                    return
                if self.free.acquire(blocking=False):
                    pool.submit(self._serve)
                else:
                    self.dropped += 1

    def _serve(self) -> None:
        action = _chosen(self.plan["mix"])
        start = time.monotonic()
        try:
            status = self._ask(action)
        except requests.RequestException:
            status = 0
        finally:
            self.free.release()
        with self.lock:
            self.counts[action, status] += 1
            self.seconds[action].append(time.monotonic() - start)

    def _ask(self, action: str) -> int:
        if action in ("browse", "stock"):
            path = "/" if action == "browse" else "/api/products"
            return self.session.get(self.url + path, timeout=ANSWER_SECONDS).status_code
        order = {"sku": _chosen(self.plan["products"]), "quantity": 1, **({} if action == "order" else {"simulate": action})}
        return self.session.post(f"{self.url}/api/orders", json=order, timeout=ANSWER_SECONDS).status_code

    def summary(self) -> dict[str, Any]:
        rows: list[dict[str, Any]] = [{"action": a, "status": s, "count": n} for (a, s), n in sorted(self.counts.items())]
        rows += [{"action": action, "seconds": _times(sorted(values))} for action, values in self.seconds.items()]
        return {"rows": rows, "dropped": self.dropped}


def arrivals(stages: list[dict[str, float]]) -> Iterator[float]:
    """Seconds after the start at which customers arrive. In a stage the rate moves evenly from the last stage's to its own."""
    begin, rate, waiting = 0.0, stages[0]["rate"], 0.0
    for stage in stages:
        length, target = stage["seconds"], stage["rate"]
        steps = max(1, round(length * 1000)) if length else 0
        for step in range(steps):
            waiting += (rate + (target - rate) * step / steps) * length / steps
            while waiting >= 1:
                waiting -= 1
                yield begin + length * step / steps
        begin, rate = begin + length, target


def _chosen(weights: dict[str, float]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


def _times(values: list[float]) -> dict[str, float]:
    at = lambda share: values[min(len(values) - 1, int(share * len(values)))]  # noqa: E731
    return {"avg": sum(values) / len(values), "med": at(0.5), "p(95)": at(0.95), "p(99)": at(0.99), "max": values[-1]}


def main() -> None:
    plan, url, summary = sys.argv[1:]
    customers = Customers(json.loads(plan), url)
    signal.signal(signal.SIGINT, lambda *_: customers.stopped.set())
    customers.run()
    target = Path(summary)
    fresh = target.with_suffix(".new")
    fresh.write_text(json.dumps(customers.summary()), "utf-8")
    fresh.replace(target)


if __name__ == "__main__":
    main()

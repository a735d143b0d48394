"""The running shop of a clone, asked from outside: its services, metrics, logs, traces and switches."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from clones import NATIVE, Clone, ended
from prometheus_client.parser import text_string_to_metric_families
from waits import until

SERVICES = ("frontend", "gateway", "payments", "inventory")
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


class Shop:
    """The four services of a clone that is up."""

    def __init__(self, clone: Clone) -> None:
        self.clone = clone
        self.urls = {name: service["url"] for name, service in clone.status().items()}
        self.token = (clone.state / "secrets" / "lab_token").read_text().strip()

    def order(self, sku: str = "TEA-001", quantity: Any = 1, **more: Any) -> requests.Response:
        """One order at the frontend."""
        body = {"sku": sku, "quantity": quantity, **more}
        return requests.post(f"{self.urls['frontend']}/api/orders", json=body, timeout=30)

    def placed(self, sku: str = "TEA-001", quantity: int = 1) -> requests.Response:
        """An order that was placed: one customer in twenty has a card that is declined, and another one comes."""
        for _ in range(20):
            answer = self.order(sku, quantity)
            if answer.status_code != 402:
                assert answer.status_code == 201, answer.text
                return answer
        raise AssertionError("twenty cards declined one after another")

    def state(self, order_id: str) -> dict[str, Any]:
        return requests.get(f"{self.urls['inventory']}/reservations/{order_id}", timeout=10).json()

    def payment(self, order_id: str) -> dict[str, Any]:
        return requests.get(f"{self.urls['payments']}/payments/{order_id}", timeout=10).json()

    def switch(self, service: str, method: str = "POST", path: str = "/lab/faults", **body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, self.urls[service] + path, json=body or None, headers=headers, timeout=10)

    def fault(self, service: str, name: str, **values: Any) -> None:
        answer = self.switch(service, name=name, **values)
        assert answer.status_code == 200, answer.text

    def mend(self) -> None:
        for service in SERVICES:
            until(lambda service=service: self.switch(service, "DELETE").status_code == 200, what=f"{service} answers its switch")
        requests.post(f"{self.urls['toxiproxy']}/reset", timeout=10)

    def set_stock(self, sku: str, pieces: int) -> None:
        answer = self.switch("inventory", "PUT", f"/lab/stock/{sku}", stock=pieces)
        assert answer.status_code == 200, answer.text

    def families(self, service: str) -> dict[str, Any]:
        """The metric families a service shows now, by name."""
        page = requests.get(f"{self.urls[service]}/metrics", timeout=10)
        assert page.status_code == 200, page.text
        return {family.name: family for family in text_string_to_metric_families(page.text)}

    def value(self, service: str, name: str, **labels: str) -> float:
        """The sum of the samples of that name that carry these labels."""
        samples = [sample for family in self.families(service).values() for sample in family.samples if sample.name == name]
        return sum(one.value for one in samples if labels.items() <= one.labels.items())

    def lines(self, service: str, **fields: Any) -> list[dict[str, Any]]:
        """The log lines of a service that carry these fields."""
        path = self.clone.state / "logs" / f"{service}.log"
        found = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.startswith("{")]
        return [line for line in found if fields.items() <= line.items()]

    def log_path(self, service: str) -> Path:
        return self.clone.state / "logs" / f"{service}.log"

    def whole_order(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a placed order, once those of all services and of the worker have arrived."""
        last = {
            "POST /api/orders",
            "POST /orders",
            "POST /payments",
            "charge_card",
            "POST /reservations",
            "confirm_order",
            "DELETE",
        }
        last |= {"check_stock", "pay", "reserve", "GET /products/{sku}", "POST /payments/{order_id}/capture"}
        return until(
            lambda: (found := self.spans(trace_id)) and last <= {span["name"] for span in found} and found, 20, "the whole trace"
        )

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """The spans of a trace as Jaeger has them: service, name, kind, id, parent, tags, events."""
        answer = requests.get(f"{self.urls['jaeger']}/api/traces/{trace_id}", timeout=10)
        if answer.status_code != 200:
            return []
        [trace] = answer.json()["data"]
        services = {key: process["serviceName"] for key, process in trace["processes"].items()}
        resources = {key: {tag["key"]: tag["value"] for tag in process["tags"]} for key, process in trace["processes"].items()}
        return [
            {
                "service": services[span["processID"]],
                "resource": resources[span["processID"]],
                "name": span["operationName"],
                "id": span["spanID"],
                "parent": next((reference["spanID"] for reference in span["references"]), None),
                "tags": {tag["key"]: tag["value"] for tag in span["tags"]},
                "events": [{field["key"]: field["value"] for field in log["fields"]} for log in span["logs"]],
                "seconds": span["duration"] / 1e6,
            }
            for span in trace["spans"]
        ]


@contextmanager
def shop_in(folder: Path) -> Iterator[Shop]:
    """A shop with its traces, up as processes in a clone of its own until the block ends."""
    made = Clone(folder, **NATIVE)
    made.lab("up", "shop")
    yield Shop(made)
    ended(made)

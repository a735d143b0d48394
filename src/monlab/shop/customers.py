"""What a customer does: looks at the products, orders."""

import json
from typing import Any

import pandas as pd

from monlab import endpoints, web
from monlab.problem import LabProblem
from monlab.settings import settings

ANSWER_SECONDS = 25


def products() -> pd.DataFrame:
    """The shop's products: sku, name, price_cents, stock. Raises LabProblem when the shop does not tell."""
    answer = _ask("GET", "/api/products")
    if answer["status"] != 200:
        raise LabProblem(f"The shop answered {answer['status']}: {answer['message']}")
    return pd.DataFrame(answer["body"])


def visits(times: int) -> str:
    """Opens the shop's page many times, one after another; returns what came back, as words."""
    url = endpoints.service_url(settings(), "frontend")
    try:
        codes = [web.get(url, ANSWER_SECONDS).status_code for _ in range(times)]
    except web.FAULTS as error:
        raise LabProblem(f"The shop does not answer at {web.shown(url)}: {error}. `stack.status()` shows what runs.") from error
    return ", ".join(f"{codes.count(code)} answers with {code}" for code in sorted(set(codes)))


def order(sku: str = "TEA-001", quantity: int = 1, simulate: str = "") -> dict[str, Any]:
    """Orders, and returns what the customer sees.

    `simulate` is "slow" or "decline". The answer holds `status` (HTTP), `order_id`, `trace_id`, and `code` and `message` of a refusal.
    """
    wanted = {"sku": sku, "quantity": quantity, **({"simulate": simulate} if simulate else {})}
    try:
        text = json.dumps(wanted, allow_nan=False)
    except (TypeError, ValueError):
        raise LabProblem(
            f"An order for {quantity!r} of {sku!r} is none that JSON can hold. Write it as in order('TEA-001', 2)."
        ) from None
    answer = _ask("POST", "/api/orders", data=text, headers={"Content-Type": "application/json"})
    body = answer.pop("body")
    details = body.get("error", {}).get("details", {}) if isinstance(body, dict) else {}
    return {**answer, "order_id": body.get("order_id") or details.get("order_id", "")}


def _ask(method: str, path: str, **more: Any) -> dict[str, Any]:
    url = endpoints.service_url(settings(), "frontend")
    try:
        answer = web.session(url).request(method, url + path, timeout=ANSWER_SECONDS, **more)
        body = answer.json()
    except (ValueError, *web.FAULTS) as error:
        raise LabProblem(
            f"The shop does not answer at {web.shown(url)}{path}: {error}. `stack.status()` shows what runs."
        ) from error
    refusal = body.get("error", {}) if isinstance(body, dict) else {}
    return {
        "status": answer.status_code,
        "trace_id": refusal.get("trace_id") or answer.headers.get("X-Trace-Id", ""),
        "code": refusal.get("code", ""),
        "message": refusal.get("message", ""),
        "body": body,
    }

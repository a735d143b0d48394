"""What the Python services share, without a server. Run by `pytest stack/shop/tests` with the packages of requirements.lock."""

import json
import time

import pytest
from flask import Flask
from shopkit import metrics
from shopkit.faults import Faults, Refused
from shopkit.logs import Log
from shopkit.web import Refusal, fields, order_id_field, quantity_field, sku_field

KINDS = {"sku": sku_field, "quantity": quantity_field}


def test_fields_come_back_in_the_order_asked_for():
    assert fields({"quantity": 2, "sku": "TEA-001"}, **KINDS) == ["TEA-001", 2]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (None, "object"),
        ([], "object"),
        ({}, "sku"),
        ({"sku": "tea", "quantity": 1}, "sku"),
        ({"sku": "A" * 33, "quantity": 1}, "sku"),
        ({"sku": "A\n", "quantity": 1}, "sku"),
        ({"sku": 7, "quantity": 1}, "sku"),
        ({"sku": "A", "quantity": 0}, "1 to 100"),
        ({"sku": "A", "quantity": 101}, "1 to 100"),
        ({"sku": "A", "quantity": 1.0}, "whole number"),
        ({"sku": "A", "quantity": True}, "whole number"),
        ({"sku": "A", "quantity": None}, "whole number"),
        ({"sku": "A", "quantity": 1, "x" * 99: 1}, "no field"),
    ],
)
def test_what_is_wrong_is_said(body, word):
    with pytest.raises(Refusal) as refused:
        fields(body, **KINDS)
    assert refused.value.status == 400 and word in refused.value.message and len(refused.value.message) < 150


def test_an_order_id_is_a_uuid_in_small_letters():
    assert order_id_field("7f23ffcc-2c36-4580-a420-8730608fc7c8") is None
    for bad in ("7F23FFCC-2c36-4580-a420-8730608fc7c8", "7f23ffcc", "", None, 5):
        assert order_id_field(bad)


@pytest.mark.parametrize(
    ("agent", "client"), [("k6/2.2.0 (https://k6.io/)", "k6"), ("Mozilla/5.0", "browser"), ("shop-gateway/1", "shop"), ("x", "other"), ("", "other")]
)
def test_clients_are_a_closed_set(agent, client):
    assert metrics.client(agent) == client


def test_a_fault_ends_by_itself_and_is_replaced_by_one_of_its_name():
    faults = Faults()
    faults.switch_on({"name": "slow", "seconds": 3, "lasting": 1})
    faults.switch_on({"name": "slow", "seconds": 5, "lasting": 1})
    [shown] = faults.active()
    assert shown["seconds"] == 5 and 0 < shown["ends_in_seconds"] <= 1
    deadline = time.monotonic() + 3
    while faults.active():
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    "asked",
    [
        None, [], {}, {"name": 1}, {"name": "slwo"}, {"name": "slow", "second": 1}, {"name": "slow", "seconds": 0},
        {"name": "slow", "seconds": "1"}, {"name": "slow", "share": True}, {"name": "slow", "share": 1.1},
        {"name": "slow", "lasting": 3601}, {"name": "slow", "seconds": float("nan")},
    ],
)  # fmt: skip
def test_switches_that_cannot_be_are_refused(asked):
    with pytest.raises(Refused):
        Faults().switch_on(asked)


def test_a_share_of_none_never_strikes():
    faults = Faults()
    faults.switch_on({"name": "errors", "share": 0})
    assert not any(faults.strikes("errors") for _ in range(100))
    faults.clear()


def test_a_log_line_is_one_json_object_with_its_time_off_by_the_skew(capfd):
    Log("frontend", lambda: "1.4.0", lambda: -3600).warn("order not placed", error='a "quote"\nand a line')
    [text] = capfd.readouterr().out.splitlines()
    line = json.loads(text)
    assert list(line)[:5] == ["time", "level", "service", "version", "message"]
    assert line["error"] == 'a "quote"\nand a line' and line["time"].endswith("Z")
    with Flask("x").app_context():
        assert "request_id" not in line

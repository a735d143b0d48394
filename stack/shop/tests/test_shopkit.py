"""What the Python services share, without a server. Run by `pytest stack/shop/tests` with the packages of requirements.lock."""

import json
import sys
import threading
import time

import pytest
from flask import Flask
from shopkit import metrics
from shopkit.config import Config
from shopkit.faults import Faults, Refused
from shopkit.logs import Log
from shopkit.web import Refusal, Service, fields, order_id_field, quantity_field, sku_field

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


def test_a_fault_that_is_ended_or_replaced_leaves_no_timer_behind():
    timers = lambda: [one for one in threading.enumerate() if isinstance(one, threading.Timer)]  # noqa: E731
    before = len(timers())
    faults = Faults()
    for _ in range(20):
        faults.switch_on({"name": "slow", "lasting": 3600})
    deadline = time.monotonic() + 5
    while len(timers()) > before + 1:
        assert time.monotonic() < deadline, f"{len(timers())} timers for one fault"
    faults.clear()
    while len(timers()) > before:
        assert time.monotonic() < deadline


def test_the_end_of_cardinality_leaves_no_series_behind_whatever_is_counted_meanwhile():
    service = Service(Config("frontend", "1.4.0", "", "", "", "", "", "", "", "", 0), Faults())
    client = service.app.test_client()
    stopped = threading.Event()
    usual = set(metrics.by_client._metrics)

    def visit():
        while not stopped.is_set():
            client.get("/nothing")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    visitors = [threading.Thread(target=visit) for _ in range(4)]
    try:
        for one in visitors:
            one.start()
        for _ in range(100):
            service.faults.switch_on({"name": "cardinality"})
            stopped.wait(0.005)  # some visitors come
            service.faults.clear()
            left = set(metrics.by_client._metrics) - usual
            assert not left
    finally:
        stopped.set()
        sys.setswitchinterval(interval)
        for one in visitors:
            one.join()

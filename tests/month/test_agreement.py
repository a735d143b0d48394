"""The three servers of the archive, asked about the same minutes: metrics, lines and traces point to the same service."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

from monlab.archive import month

INCIDENTS = list(month.INCIDENTS.values())
BY_NAME = [one.name for one in INCIDENTS]


def ask(url: str, path: str, **parameters) -> dict:
    answer = requests.get(url + path, params=parameters, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def urls(june_servers):
    return {name: service["url"] for name, service in june_servers.status().items()}


def series(urls, query: str, begin: datetime, end: datetime) -> list:
    answer = ask(
        urls["archive-prometheus"], "/api/v1/query_range", query=query, start=begin.timestamp(), end=end.timestamp(), step=60
    )
    return answer["data"]["result"]


def lines(urls, query: str, begin: datetime, end: datetime) -> dict[str, float]:
    """Lines found, by instance."""
    seconds = int((end - begin).total_seconds())
    counted = f"sum by (instance) (count_over_time({query} [{seconds}s]))"
    answer = ask(urls["archive-loki"], "/loki/api/v1/query", query=counted, time=end.timestamp())
    return {one["metric"]["instance"]: float(one["value"][1]) for one in answer["data"]["result"]}


def traces(urls, trail: month.Trail, begin: datetime, end: datetime) -> list:
    """Traces with a span that the trail describes."""
    tags = {
        **({"error": "true"} if trail.error else {}),
        **({"http.response.status_code": str(trail.status)} if trail.status else {}),
    }
    wanted = {"minDuration": f"{trail.slower_than_us}us"} if trail.slower_than_us else {}
    if tags:
        wanted["tags"] = json.dumps(tags)
    edges = {"start": int(begin.timestamp() * 1e6), "end": int(end.timestamp() * 1e6)}
    found = ask(urls["archive-jaeger"], "/api/traces", service=trail.service, operation=trail.name, limit=200, **edges, **wanted)
    return found["data"]


@pytest.mark.parametrize("incident", INCIDENTS, ids=BY_NAME)
def test_an_incident_shows_in_the_metric_its_script_names_and_did_not_before(urls, incident):
    found = series(urls, incident.metric, incident.began, incident.ended)
    assert found and not series(urls, incident.metric, incident.began - timedelta(hours=1), incident.began - timedelta(minutes=1))


@pytest.mark.parametrize("incident", INCIDENTS, ids=BY_NAME)
def test_an_incident_shows_in_the_lines_of_its_service_and_did_not_before(urls, incident):
    query = f'{{service="{incident.service}"}} {incident.logs}'
    during = lines(urls, query, incident.began, incident.ended + timedelta(minutes=1))
    before = lines(urls, query, incident.began - timedelta(hours=1), incident.began - timedelta(minutes=1))
    assert sum(during.values()) >= 4 and not before, (during, before)


@pytest.mark.parametrize("incident", INCIDENTS, ids=BY_NAME)
def test_an_incident_shows_in_traces_of_these_minutes_and_far_less_before(urls, incident):
    during = traces(urls, incident.traces, incident.began, incident.ended)
    length = incident.ended - incident.began
    before = traces(urls, incident.traces, incident.began - length, incident.began - timedelta(minutes=1))
    assert len(during) >= 5 and len(during) > 3 * len(before), (len(during), len(before))


def test_a_thousand_examples_lead_to_traces_in_jaeger_and_lines_in_loki(urls, june):
    examples = june.exemplars[:: len(june.exemplars) // 1_000]
    assert len(examples) >= 1_000
    session = requests.Session()
    by_hour: dict[datetime, set[str]] = {}
    for one in examples:
        moment = datetime.fromtimestamp(one.time_ms / 1000, UTC)
        by_hour.setdefault(moment.replace(minute=0, second=0, microsecond=0), set()).add(one.trace_id)
        answer = session.get(f"{urls['archive-jaeger']}/api/traces/{one.trace_id}", timeout=10)
        assert answer.status_code == 200, one
        [trace] = answer.json()["data"]
        instances = {
            tag["value"]
            for process in trace["processes"].values()
            for tag in process["tags"]
            if tag["key"] == "service.instance.id"
        }
        assert one.labels["instance"] in instances, one
    for day in range(1, 31):
        begin = month.START + timedelta(days=day - 1)
        wanted = {trace_id for hour, found in by_hour.items() if begin <= hour < begin + timedelta(days=1) for trace_id in found}
        query = f'{{service=~".+"}} |~ "{"|".join(sorted(wanted))}" | json | line_format "{{{{.trace_id}}}}"'
        end = begin + timedelta(days=1, minutes=5)
        answer = session.get(
            f"{urls['archive-loki']}/loki/api/v1/query_range",
            params={"query": query, "start": int(begin.timestamp()), "end": int(end.timestamp()), "limit": 5000},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text[:300]
        told = {text for stream in answer.json()["data"]["result"] for _time, text in stream["values"]}
        assert told == wanted


def test_lines_in_loki_and_counters_in_prometheus_count_the_same(urls):
    begin, end = month.at(month.minute(15, "00:00")), month.at(month.minute(15, "23:00"))
    for service, selector, query in (
        ("payments", '|= "payment declined"', 'payments_total{result="declined"}'),
        ("inventory", '| json | message="request" | status="503"', 'http_requests_total{job="inventory",code="503"}'),
        ("frontend", '| json | message="request" | status="502"', 'http_requests_total{job="frontend",code="502"}'),
    ):
        counted = lines(urls, f'{{service="{service}"}} {selector}', begin, end)
        grown = {}
        for labels, last, first in (
            (one["metric"]["instance"], one["values"][-1][1], one["values"][0][1])
            for one in series(urls, f"sum by (instance) ({query})", begin, end)
        ):
            grown[labels] = float(last) - (float(first) if service != "inventory" else 0)  # born in the outage
        assert {name: count for name, count in grown.items() if count} == counted

"""Grafana's provisioning files against a strict list of keys (grafana_keys.yaml), each with the page that documents it, and against
the servers that they name.

Grafana itself is not asked here: neither its image nor its release archive is part of a test.
"""

import json
import re

import grafana_keys
import pytest
import requests
import yaml
from clones import REPO
from shops import shop_in

from monlab.settings import settings
from monlab.stack import compose

SETTINGS = settings()
SERVICES = compose.load(SETTINGS.compose_file, SETTINGS.versions_file).services
ENVIRONMENT = SERVICES["grafana"].environment
HOME = REPO / "stack" / "grafana"
KINDS = {
    "datasources": SETTINGS.datasources,
    "dashboards": HOME / "provisioning" / "dashboards",
    "alerting": HOME / "provisioning" / "alerting",
}
FILES = [(kind, path) for kind, folder in KINDS.items() for path in sorted(folder.glob("*.yml"))]


def read(path):
    return yaml.safe_load(path.read_text("utf-8"))


SOURCES = {path.stem: source for kind, path in FILES if kind == "datasources" for source in read(path)["datasources"]}
TYPES = {source["uid"]: source["type"] for source in SOURCES.values()}
[ALERTING] = [read(path) for kind, path in FILES if kind == "alerting"]
RULES = [rule for group in ALERTING["groups"] for rule in group["rules"]]


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda one: getattr(one, "name", one))
def test_every_key_is_documented_and_every_value_of_its_kind(kind, path):
    assert grafana_keys.mistakes(read(path), kind, TYPES) == []


def test_every_variable_of_the_service_is_documented_and_of_its_kind():
    assert grafana_keys.wrong_environment(ENVIRONMENT) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: file["datasources"][0].update(uuid="x"), "datasources.datasources.uuid stands on no page"),
        (lambda file: file["datasources"][0].update(editable="no"), "editable is 'no', which is not bool"),
        (lambda file: file["datasources"][0].update(version=1), "datasources.datasources.version stands on no page"),
        (lambda file: file["datasources"][0].pop("uid"), "datasources.datasources lacks uid"),
        (lambda file: file["datasources"][0]["jsonData"].update(maxLines=3), "jsonData(prometheus).maxLines stands on no page"),
        (lambda file: file["datasources"][0]["jsonData"].update(timeInterval=5), "timeInterval is 5, which is not duration"),
        (lambda file: file["datasources"][0].update(url="http://prometheus:9090"), "which is not url"),
        (lambda file: file.update(apiVersion=True), "apiVersion is True, which is not int"),
    ],
)
def test_a_mistake_in_a_file_is_noticed(change, words):
    file = read(SETTINGS.datasources / "prometheus.yml")
    change(file)
    assert words in " ".join(grafana_keys.mistakes(file, "datasources", TYPES))


def test_a_mistake_in_the_environment_is_noticed():
    changed = {**ENVIRONMENT, "GF_ANALYTICS_REPORTING": "false", "GF_USERS_ALLOW_SIGN_UP": "true", "GF_PATHS_DATA": "data"}
    assert len(grafana_keys.wrong_environment(changed)) == 3


def test_nobody_gets_in_without_the_password_and_it_talks_to_nobody_else():
    """The list of keys allows only the safe value of each of these; here they must be there at all."""
    safe = {name for name, (kind, _page) in grafana_keys.ENVIRONMENT.items() if kind in (["false"], ["true"])}
    assert safe <= ENVIRONMENT.keys() and len(safe) >= 13
    assert "GF_SECURITY_ADMIN_PASSWORD" not in ENVIRONMENT and SERVICES["grafana"].secrets == ("grafana_admin_password",)
    assert ENVIRONMENT["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_admin_password"


def test_a_data_source_has_the_name_of_its_service_and_its_address():
    offered = {service.name for service in SERVICES.values() if service.datasource}
    assert SOURCES.keys() == offered == {path.stem for path in SETTINGS.datasources.glob("*.yml")}
    for name, source in SOURCES.items():
        variable = re.fullmatch(r"http://\$\{(\w+)\}", source["url"])[1]
        assert ENVIRONMENT[variable] == f"{name}:{SERVICES[name].ports[0].container}"
    assert len({source["name"] for source in SOURCES.values()}) == len(TYPES) == len(SOURCES)
    assert [name for name, source in SOURCES.items() if source.get("isDefault")] == ["prometheus"]


def test_files_use_every_variable_of_the_service_and_no_other():
    used = set()
    for _kind, path in FILES:
        used |= set(re.findall(r"(?<!\$)\$\{(\w+)\}", path.read_text("utf-8")))
    assert used == {name for name in ENVIRONMENT if not name.startswith("GF_")}


def test_no_value_holds_a_dollar_that_grafana_would_read_as_a_variable():
    for _kind, path in FILES:
        for text in texts(read(path)):
            assert not re.search(r"(?<!\$)\$(?!\{[A-Z_]+\}|\$)", text), f"{path.name}: {text}"


def texts(value):
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def test_every_uid_that_something_names_is_there():
    named = {uid for _kind, path in FILES for uid in uids_in(read(path))}
    for path in (HOME / "dashboards").glob("*.json"):
        named |= uids_in(json.loads(path.read_text("utf-8")))
    assert named - {"__expr__", "${datasource}"} <= TYPES.keys() and named > {"prometheus", "loki", "jaeger", "archive-jaeger"}


def uids_in(value):
    if isinstance(value, list):
        return {uid for one in value for uid in uids_in(one)}
    if not isinstance(value, dict):
        return set()
    own = {value["datasourceUid"]} if "datasourceUid" in value else set()
    if isinstance(value.get("datasource"), dict) and "uid" in value["datasource"]:
        own |= {value["datasource"]["uid"]}
    return own | {uid for one in value.values() for uid in uids_in(one)}


def test_the_panels_ask_a_data_source_of_their_own_type():
    for path in (HOME / "dashboards").glob("*.json"):
        for found in re.findall(r'"type": "(\w+)",\s*"uid": "([\w-]+)"', path.read_text("utf-8")):
            assert TYPES.get(found[1], found[0]) == found[0], path.name


def test_a_log_line_leads_to_its_trace_and_a_span_to_its_lines(june_servers):
    """By the archive's own rules of linking: the regular expression of the derived field, and the label that a span's tag becomes."""
    urls = {name: service["url"] for name, service in june_servers.status().items()}
    start, end = 1781481600, 1781568000  # 15 June, UTC
    found = requests.get(
        f"{urls['archive-jaeger']}/api/traces",
        params={"service": "payments", "start": start * 10**6, "end": end * 10**6, "limit": 20},
        timeout=20,
    ).json()["data"]
    [link] = SOURCES["archive-loki"]["jsonData"]["derivedFields"]
    [tag] = SOURCES["archive-jaeger"]["jsonData"]["tracesToLogsV2"]["tags"]
    assert tag["key"] == "service.name" and found
    linked = 0
    for trace in found:
        query = f'{{{tag["value"]}="payments"}} |= "{trace["traceID"]}"'
        asked = {"query": query, "start": start * 10**9, "end": end * 10**9}
        answer = requests.get(f"{urls['archive-loki']}/loki/api/v1/query_range", params=asked, timeout=20).json()
        for stream in answer["data"]["result"]:
            for _time, line in stream["values"]:
                assert re.search(link["matcherRegex"], line)[1] == trace["traceID"]
                linked += 1
    assert linked


def test_policies_and_conditions_name_what_is_there():
    points = {point["name"] for point in ALERTING["contactPoints"]}
    assert {policy["receiver"] for policy in ALERTING["policies"]} <= points
    dashboards = {json.loads(path.read_text("utf-8"))["uid"] for path in (HOME / "dashboards").glob("*.json")}
    for rule in RULES:
        queries = {query["refId"]: query for query in rule["data"]}
        assert all(query["model"]["refId"] == ref for ref, query in queries.items()) and rule["condition"] in queries
        assert queries[rule["condition"]]["model"]["expression"] in queries
        assert rule.get("dashboardUid") in {None, *dashboards}
    assert len({rule["uid"] for rule in RULES}) == len(RULES)


def test_a_rules_query_measures_and_leaves_the_limit_to_the_condition():
    for rule in RULES:
        for query in rule["data"]:
            expr = query["model"].get("expr", "")
            assert not re.search(r"[^=!<>][<>]=?\s*[\d.]+\s*$", expr), rule["title"]
            assert query["datasourceUid"] != "__expr__" or query["model"]["type"] == "threshold"


@pytest.fixture(scope="module")
def healthy_shop(tmp_path_factory):
    """A shop in which no test has broken anything: a rule looks back five minutes."""
    with shop_in(tmp_path_factory.mktemp("healthy")) as made:
        yield made


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["uid"])
def test_a_rules_query_answers_for_the_live_shop(healthy_shop, rule):
    """Through the lab's own client, while a customer looks around: a number for each machine or service, all of them healthy."""
    [expr] = [query["model"]["expr"] for query in rule["data"] if "expr" in query["model"]]
    evaluator = rule["data"][1]["model"]["conditions"][0]["evaluator"]
    beyond = {"gt": float.__gt__, "lt": float.__lt__}[evaluator["type"]]
    said = healthy_shop.clone.python(
        "from monlab import prom, shop, wait_until\n"
        "shop.products()\n"
        f"expr = {expr!r}\n"
        "def answered():\n"
        "    shop.products()\n"
        "    return len(prom.query(expr).dropna()) > 0\n"
        "wait_until(answered, seconds=40)\n"
        "print(*prom.query(expr).value)"
    )
    values = [float(word) for word in said.split()]
    assert values and all(0 <= value <= 1 for value in values)
    assert rule["uid"] == "cpu-busy" or not any(beyond(value, float(evaluator["params"][0])) for value in values), (
        "without a failure the share is 0, not nothing"
    )

"""The files that module 8 hands out: read by the tools they are for, and with answers in June."""

import re
import shutil
import subprocess

import pytest
import yaml
from june import archive, asked, program

from monlab.settings import settings
from monlab.slo import formats, policy
from monlab.slo import rule_files as rules
from monlab.slo.rule_files import events

FILES = settings().course / "m08_slo" / "files"
FOR_SLOTH = [path for path in sorted(FILES.glob("*.yaml")) if "\nversion: prometheus/v1\n" in path.read_text("utf-8")]


@pytest.fixture(scope="module")
def june_url(tmp_path_factory):
    with archive(tmp_path_factory.mktemp("files") / "raw") as url:
        yield url


@pytest.mark.live
@pytest.mark.parametrize("path", FOR_SLOTH, ids=lambda path: path.name)
def test_sloth_makes_rules_of_it_that_promtool_accepts(tmp_path, path):
    made = tmp_path / "rules.yml"
    subprocess.run([*program("sloth", "sloth"), "generate", "-i", path, "-o", made], check=True, capture_output=True)
    said = subprocess.run(
        [*program("prometheus", "promtool"), "check", "rules", made], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0 and "34 rules found" in said.stdout, said.stdout + said.stderr


def objectives():
    of_sloth = [slo for path in FOR_SLOTH for slo in formats.from_sloth(path.read_text("utf-8"))]
    return [*of_sloth, *policy.agreement(yaml.safe_load((FILES / "services.yaml").read_text("utf-8"))).slos]


@pytest.mark.parametrize("slo", objectives(), ids=lambda slo: slo.id)
def test_its_events_happened_in_june_and_some_of_them_were_bad(june_url, slo):
    from june import END

    for query in events(slo):
        [(_labels, values)] = asked(june_url, query.replace("{{.window}}", "29d"), END, END, 60)
        assert values.iloc[0] > 0
    [(_labels, ratio)] = asked(june_url, rules.error_ratio(slo, rules.period(slo)), END, END, 60)
    assert 0 < ratio.iloc[0] < 0.05


def test_the_policys_page_says_what_the_file_says():
    levels = yaml.safe_load((FILES / "services.yaml").read_text("utf-8"))["levels"]
    page = (FILES / "error-budget-policy.md").read_text("utf-8")
    for level in levels:
        assert f"| {level['name']} |" in page
    agreed = policy.agreement(yaml.safe_load((FILES / "services.yaml").read_text("utf-8")))
    assert [(one.name, one.above, one.allows) for one in agreed.levels] == [
        (one.name, one.above, one.allows) for one in policy.STANDARD
    ]


@pytest.mark.live
def test_sloth_and_the_library_read_the_openslo_file(tmp_path):
    path = FILES / "gateway.openslo.yaml"
    made = tmp_path / "rules.yml"
    subprocess.run([*program("sloth", "sloth"), "generate", "-i", path, "-o", made], check=True, capture_output=True)
    said = subprocess.run(
        [*program("prometheus", "promtool"), "check", "rules", made], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    [of_sloth, _latency] = formats.from_sloth((FILES / "api-service.yaml").read_text("utf-8"))
    read = formats.from_openslo(path.read_text("utf-8"))
    assert (read.id, read.objective, read.window) == (of_sloth.id, of_sloth.objective, of_sloth.window)


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not here")
def test_terraform_reads_the_resource_as_it_is_written(tmp_path):
    """Its form only: what the provider says of its fields needs a registry, and applying it a Grafana that is not open source."""
    folder = shutil.copytree(FILES, tmp_path / "files", ignore=lambda _folder, names: [n for n in names if not n.endswith(".tf")])
    said = subprocess.run(["terraform", "fmt", "-check", "-diff", folder], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_runbook_asks_for_series_and_an_alert_that_the_rules_make():
    text = (FILES / "runbook.md").read_text("utf-8")
    [slo] = [slo for slo in objectives() if slo.id == "payments-availability"]
    made = [rule for group in rules.rules(slo)["groups"] for rule in group["rules"]]
    records = {rule["record"] for rule in made if "record" in rule}
    assert set(re.findall(r"slo:[a-z_]+:[a-z0-9_]+", text)) <= records
    assert all(rule["alert"].endswith("BudgetBurn") for rule in made if "alert" in rule) and "BudgetBurn" in text

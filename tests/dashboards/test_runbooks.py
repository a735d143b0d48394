"""The links of the committed dashboards lead to pages of this repository, which Grafana serves itself."""

import re

import pytest
from clones import REPO

from monlab import dashboards as dashboard

PAGES = REPO / "docs" / "runbooks"
SERVED = "/public/runbooks/"  # where Grafana serves what is mounted into its folder of static files


@pytest.mark.parametrize("name", dashboard.names())
def test_every_panel_links_to_a_runbook_that_has_a_section_for_it(name):
    for panel in (one for one in dashboard.read(name).panels if one.type != "row"):
        assert panel.links and all(link.startswith(SERVED) for link in panel.links), panel.title
        for link in panel.links:
            text = (PAGES / link.removeprefix(SERVED)).read_text("utf-8")
            assert re.search(rf"^## {re.escape(panel.title)}$", text, re.MULTILINE), f"{link} says nothing about {panel.title}"


def test_no_page_is_without_its_dashboard():
    assert sorted(path.stem for path in PAGES.glob("*.md")) == dashboard.names()

"""The addresses in the stack's table, where the browser reaches JupyterLab under a path and the servers only through it."""

import json

import pytest
import requests
from browser.chrome import BINARY, Chrome

pytestmark = pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine; `apt-get install chromium` brings one")
LINKS = "[...document.querySelectorAll('.jp-OutputArea-output td a')].map(a => a.getAttribute('href'))"


def shown_links(chrome, address: str) -> list[str]:
    """Opens module 2's notebook, runs its first two code cells and returns where the table's links lead."""
    chrome.open(address.replace("00_start_here", "02_prometheus"))
    chrome.wait_for("!!document.querySelector('.jp-Notebook .jp-CodeCell .cm-content')")
    chrome.focus(".jp-Notebook .jp-CodeCell .cm-content")
    chrome.wait_for("document.body.innerText.includes('| Idle')")
    for _cell in range(4):  # JupyterLab may lose a key while it moves to the next cell; one cell more does no harm
        chrome.press_shift_enter()
    # Counted and read in one step: the table is drawn anew while servers come up.
    return list(json.loads(chrome.wait_for(f"(links => links.length == 5 && JSON.stringify(links))({LINKS})")))


def pages(clone) -> list[tuple[str, str]]:
    """Each service's URL, and the path of its page: Prometheus' own `/` would redirect out of the path it is served under."""
    return [(service["url"], "/query" if name == "prometheus" else "/") for name, service in clone.status().items()]


def test_links_lead_through_jupyter_where_it_lies_under_a_path(jupyter_under_a_base_url, chrome, tmp_path):
    address, clone, _said = jupyter_under_a_base_url
    links = shown_links(chrome, address)
    assert set(links) == {f"/user/x/proxy/{url.rpartition(':')[2]}{page}" for url, page in pages(clone)}
    host, token = address.partition("/user/")[0], address.partition("?")[2].strip()
    second = Chrome(tmp_path / "second")  # the first has a changed notebook open and would ask before it leaves it
    try:
        for name, words in {
            "alertmanager": "Alertmanager",
            "pushgateway": "Pushgateway",
            "node_exporter": "Node Exporter",
        }.items():
            port = clone.status()[name]["url"].rpartition(":")[2]
            second.open(f"{host}/user/x/proxy/{port}/?{token}")
            second.wait_for(f"location.pathname.includes('/proxy/{port}/') && document.body.innerText.includes('{words}')")
            second.picture(tmp_path / f"{name}.png")
            assert "_build_info" in requests.get(f"{host}/user/x/proxy/{port}/metrics?{token}", timeout=10).text
    finally:
        second.close()


def test_links_are_plain_addresses_on_ones_own_machine(jupyter, chrome):
    address, clone, _said = jupyter
    assert set(shown_links(chrome, address)) == {url + page.rstrip("/") for url, page in pages(clone)}

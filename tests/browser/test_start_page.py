"""`./lab` opens JupyterLab on the start page, and what it shows can be read there."""

import re
import signal
import subprocess
import threading

import pytest

from browser.chrome import BINARY, Chrome

pytestmark = pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine; `apt-get install chromium` brings one")


@pytest.fixture
def jupyter(clone):
    """JupyterLab as `./lab` starts it; yields its address with the token."""
    process = subprocess.Popen(
        clone.command("--no-browser"), cwd=clone.repo, env=clone.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout
    said = []
    for line in process.stdout:
        said.append(line)
        match = re.search(r"http://127\.0\.0\.1:\d+/lab/tree/\S+\?token=\w+", line)
        if match:
            break
    assert match, "".join(said)
    threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True).start()
    yield match[0], clone, said
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


@pytest.fixture
def chrome(tmp_path):
    browser = Chrome(tmp_path / "profile")
    yield browser
    browser.close()


def test_the_start_page_opens_and_runs(jupyter, chrome, tmp_path):
    address, _clone, _said = jupyter
    chrome.open(address)
    chrome.wait_for("document.body.innerText.includes('This is a workbook about monitoring')")
    chrome.wait_for("!!document.querySelector('.jp-Notebook .jp-CodeCell')")
    chrome.evaluate("window.jupyterapp && window.jupyterapp.commands.execute('notebook:run-all-cells')")
    run_all = "(async () => (window.jupyterapp || window.jupyterlab)?.commands.execute('notebook:run-all-cells'))()"
    chrome.evaluate(run_all)
    chrome.wait_for("document.body.innerText.includes('can do')")
    chrome.picture(tmp_path / "start.png")

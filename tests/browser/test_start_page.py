"""`./lab` opens JupyterLab on the start page, and what it shows can be read there."""

import re
import threading
import time

import psutil
import pytest
from browser.chrome import BINARY, Chrome

pytestmark = pytest.mark.skipif(BINARY is None, reason="no Chromium on this machine; `apt-get install chromium` brings one")


@pytest.fixture
def jupyter(clone):
    """JupyterLab as `./lab` starts it; yields its address with the token."""
    process = clone.begin("--no-browser")
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
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    for child in family:  # JupyterLab and its kernels; `./lab` then ends by itself
        child.terminate()
    _gone, left = psutil.wait_procs(family, timeout=20)
    for child in left:
        child.kill()
    process.wait(30)


@pytest.fixture
def chrome(tmp_path):
    browser = Chrome(tmp_path / "profile")
    yield browser
    browser.close()


def test_the_start_page_opens_runs_and_tells_what_this_machine_can_do(jupyter, chrome, tmp_path):
    address, clone, _said = jupyter
    clone.lab("up", "m02")
    chrome.open(address)
    chrome.wait_for("document.body.innerText.includes('This is a workbook about monitoring')")
    chrome.wait_for("!!document.querySelector('.jp-Notebook .jp-CodeCell .cm-content')")
    chrome.click(".jp-Notebook .jp-CodeCell .cm-content")
    chrome.wait_for("document.body.innerText.includes('| Idle') || document.body.innerText.includes('Idle')")
    for _cell in range(8):
        chrome.press_shift_enter()
    shown = chrome.wait_for(
        "document.body.innerText.includes('what you will be able to do') && document.body.innerText.includes('alertmanager')"
        " && document.body.innerText"
    )
    chrome.picture(tmp_path / "start.png")
    assert (tmp_path / "start.png").stat().st_size > 30_000
    assert "Traceback" not in shown and "Error" not in shown
    assert "Jupyter news" not in shown, "the lab asks for no outside network"


def test_closing_jupyterlab_says_what_still_runs(jupyter):
    _address, clone, said = jupyter
    clone.lab("up", "m02")
    server = next(process for process in psutil.process_iter() if _is_jupyter_of(process, clone))
    server.terminate()
    deadline = time.monotonic() + 30
    while "Still running" not in "".join(said):
        assert time.monotonic() < deadline, "".join(said)
    assert "prometheus" in "".join(said) and "`./lab down` ends them" in "".join(said)


def _is_jupyter_of(process: psutil.Process, clone) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    return "jupyterlab" in words and f"--ServerApp.root_dir={clone.repo}/workspace" in words

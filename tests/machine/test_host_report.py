"""host_report.sh: right figures, no matter who runs it, in which language, and what a process is called."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from waits import until

from monlab.settings import settings

SCRIPT = settings().course / "m01_foundations" / "files" / "host_report.sh"


def report(*words: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", SCRIPT, *words], capture_output=True, text=True, check=False, timeout=30, **options)


def numbers(text: str, heading: str) -> dict[str, float]:
    """`word number` pairs of the line below a heading."""
    line = text.split(heading)[1].splitlines()[1]
    return {name: float(value) for name, value in re.findall(r"([a-z]+) ([\d.]+)", line)}


def test_shellcheck_has_nothing_to_say():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not here; Debian's package `shellcheck` brings it")
    done = subprocess.run(["shellcheck", SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_memory_and_disk_are_what_the_kernel_says():
    text = report().stdout
    memory, disk = numbers(text, "Memory, MiB"), numbers(text, "Root file system, MiB")
    assert memory["total"] == pytest.approx(psutil.virtual_memory().total / 2**20, rel=0.01)
    assert memory["available"] == pytest.approx(psutil.virtual_memory().available / 2**20, rel=0.2)
    assert disk["size"] == pytest.approx(psutil.disk_usage("/").total / 2**20, rel=0.01)
    assert disk["used"] == pytest.approx(psutil.disk_usage("/").percent, abs=1)


def test_the_shares_of_cpu_add_up_to_all_of_it():
    assert sum(numbers(report().stdout, "CPU over 1 s").values()) == pytest.approx(100, abs=0.5)


def test_a_process_that_spins_now_is_found_whatever_it_is_called():
    code = "open('/proc/self/comm', 'w').write('a) b (c')\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code]) as spinning:
        try:
            until(lambda: Path(f"/proc/{spinning.pid}/comm").read_text() == "a) b (c\n")
            listed = report("2").stdout.split("Processes by CPU")[1].split("Processes by memory")[0]
        finally:
            spinning.kill()
    assert re.search(rf"\d+\.\d +{spinning.pid}  a\) b \(c", listed), listed


def test_no_language_changes_it():
    known = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False).stdout.split()
    language = next((one for one in known if one.startswith(("de_", "ru_", "fr_"))), "C.UTF-8")
    text = report(env={**os.environ, "LC_ALL": language, "LANG": language}).stdout
    assert numbers(text, "CPU over 1 s").keys() == {"user", "system", "idle", "iowait", "steal"}


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever runs this is an ordinary user already")
def test_an_ordinary_user_gets_the_whole_report(tmp_path):
    tmp_path.chmod(0o755)
    copy = Path(shutil.copy(SCRIPT, "/var/tmp/host_report_test.sh"))
    try:
        done = subprocess.run(
            ["bash", copy], capture_output=True, text=True, user=65534, group=65534, extra_groups=[], cwd="/", timeout=30
        )
    finally:
        copy.unlink()
    assert done.returncode == 0 and not done.stderr
    assert len(done.stdout.split("Processes by memory")[1].splitlines()) == 6


@pytest.mark.parametrize("word", ["0", "x", "-1", "1.5"])
def test_a_wrong_word_is_refused_with_a_sentence(word):
    done = report(word)
    assert done.returncode == 2 and f"not '{word}'" in done.stderr and not done.stdout


def test_nothing_of_it_reads_top():
    assert not re.search(r"^[^#]*\b(top|ps aux|free -h)\b", SCRIPT.read_text("utf-8"), re.MULTILINE)

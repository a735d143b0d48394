"""What the tools and files of Linux are read as; that a missing one is said."""

from pathlib import Path

import pytest

from monlab.machine import pairs, sidebyside, tools
from monlab.machine.readings import Reading

FREE = """               total        used        free      shared  buff/cache   available
Mem:     25276035072  2000000000 16000000000    18874368  7000000000 23000000000
Swap:              0           0           0
"""
IOSTAT = """Linux 6.1.0 (host) \t11/24/26 \t_x86_64_\t(2 CPU)

Device             tps    kB_read/s    kB_wrtn/s    kB_dscd/s    kB_read    kB_wrtn    kB_dscd
vda              31.97       150.11       800.02         0.00    4500000   25000000          0
vda1              1.00         1.00         1.00         0.00          1          2          0
"""
VMSTAT = """procs -----------memory---------- ---swap-- -----io---- -system-- -------cpu-------
 r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st gu
 1  0      0 1600000 100000 600000    0    0    10    20  100  200 10  5 84  1  0  0
 0  0      0 1600000 100000 600000    0    0    10    20  100  200 50  2 46  1  1  0
"""


@pytest.mark.parametrize(
    ("text", "heading", "row", "value"),
    [
        (FREE, "total", "Mem:", 25276035072),
        (FREE, "buff/cache", "Mem:", 7000000000),
        (FREE, "available", "Mem:", 23000000000),
        (FREE, "total", "Swap:", 0),
        (IOSTAT, "kB_wrtn", "vda", 25000000),
        (IOSTAT, "kB_wrtn", "vda1", 2),
        (VMSTAT, "us", "", 50),
        (VMSTAT, "st", "", 1),
    ],
)
def test_a_figure_is_found_by_its_heading(text, heading, row, value):
    assert tools.under_heading(text, heading, row) == value


@pytest.mark.parametrize(("heading", "row"), [("nothing", ""), ("kB_wrtn", "sda"), ("available", "Swap:")])
def test_a_figure_that_is_not_there_is_missing_and_no_other_one(heading, row):
    with pytest.raises(tools.Missing):
        tools.under_heading(FREE + IOSTAT, heading, row)


def without(monkeypatch, tmp_path, *names):
    """A /proc that lacks some entries."""
    fake = tmp_path / "proc"
    fake.mkdir()
    for entry in Path("/proc").iterdir():
        if entry.name not in names and not entry.name.isdigit():
            (fake / entry.name).symlink_to(entry)
    monkeypatch.setattr(tools, "PROC", fake)


def test_without_any_tool_the_files_of_proc_answer_the_same(monkeypatch):
    by_tool = {
        "all": tools.memory("total", "MemTotal"),
        "cores": tools.cores(),
        "disk": tools.disk("size", "/"),
        "inodes": tools.disk("itotal", "/"),
        "boot": tools.since_boot("boot time", "btime"),
        "swap": tools.swap_total(),
    }
    monkeypatch.setenv("PATH", "/nowhere")
    by_file = {
        "all": tools.memory("total", "MemTotal"),
        "cores": tools.cores(),
        "disk": tools.disk("size", "/"),
        "inodes": tools.disk("itotal", "/"),
        "boot": tools.since_boot("boot time", "btime"),
        "swap": tools.swap_total(),
    }
    assert {name: one.value for name, one in by_tool.items()} == {name: one.value for name, one in by_file.items()}
    assert all(one.how.startswith(("/proc/", "statvfs")) for one in by_file.values())
    for ask in (tools.established, tools.sockets_used, tools.load_average, tools.page_cache):
        assert ask().how.startswith("/proc/")


def test_a_kernel_without_pressure_is_said(monkeypatch, tmp_path):
    without(monkeypatch, tmp_path, "pressure")
    with pytest.raises(tools.Missing, match="no /proc/pressure/cpu here"):
        tools.waiting_seconds("cpu")
    row = sidebyside._row(
        pairs.Pair("x", "s", 1, pairs.SIZE, pairs.CPU, lambda: tools.waiting_seconds("cpu"), "a"),
        Reading("a 1\n"),
        sidebyside._asked(pairs.Pair("x", "s", 1, pairs.SIZE, pairs.CPU, lambda: tools.waiting_seconds("cpu"), "a")),
        "",
        {},
    )
    assert row.agree == "cannot be shown" and "/proc/pressure" in row.why


@pytest.mark.parametrize(
    ("sort", "tool", "metric", "agree"),
    [
        (pairs.SIZE, 1000, 1009, True),
        (pairs.SIZE, 1000, 1020, False),
        (pairs.SIZE, 0, 0, True),
        (pairs.SIZE, 0, 1, False),
        (pairs.COUNT, 10, 12, True),
        (pairs.COUNT, 10, 13, False),
        ("share", 50, 52.9, True),
        ("share", 50, 53.1, False),
    ],
)
def test_sizes_agree_within_one_percent_counts_within_two_cpu_within_three_points(sort, tool, metric, agree):
    assert sidebyside.judged(sort, tool, metric) is agree


PAGE = Reading('node_network_receive_bytes_total{device="lo"} 5\nnode_network_receive_bytes_total{device="eth0"} 7\n')


def test_a_container_s_own_network_is_detected_and_named():
    assert sidebyside.conditions(PAGE, "", {"lo", "eth0"}) == {}
    assert "network of its own" in sidebyside.conditions(PAGE, "", {"lo", "wlan0"})[pairs.NETWORK]


def test_limits_that_lxcfs_puts_over_proc_are_detected_and_named():
    mounts = "95 90 0:51 /proc/meminfo /proc/meminfo rw,nosuid - fuse.lxcfs lxcfs rw,user_id=0\n"
    found = sidebyside.conditions(PAGE, mounts, {"lo", "eth0"})
    assert list(found) == [pairs.MEMORY] and "/proc/meminfo" in found[pairs.MEMORY]


def row_of(about, excuses, before=100.0, after=100.0):
    pair = pairs.Pair("x", "", 1, pairs.COUNT, about, lambda: None, "a")
    return sidebyside._row(pair, Reading("a 200\n"), tools.Answer(before, "t"), tools.Answer(after, "t"), excuses)


def test_only_a_condition_that_was_detected_excuses_a_difference():
    assert row_of(pairs.NETWORK, {}).agree == "no"
    assert row_of(pairs.NETWORK, {pairs.MEMORY: "other"}).agree == "no"
    excused = row_of(pairs.NETWORK, {pairs.NETWORK: "container view"})
    assert (excused.agree, excused.why) == ("excused", "container view")


def test_a_figure_that_moved_past_the_metric_between_two_looks_agrees():
    assert row_of(pairs.NETWORK, {}, 150.0, 250.0).agree == "yes"


def test_idle_and_iowait_excuse_each_other_only_when_they_agree_together():
    one = {"us": 10.0, "sy": 0.0, "id": 80.0, "wa": 10.0, "st": 0.0}
    moved = {**one, "id": 70.0, "wa": 20.0}
    lost = {**one, "id": 70.0}
    rows = [sidebyside._cpu_row("wa", one, moved, "vmstat", 10, {}), sidebyside._cpu_row("id", one, lost, "vmstat", 10, {})]
    assert [row.agree for row in rows] == ["excused", "no"] and "iowait" in rows[0].why


def test_a_sum_of_metrics_needs_all_of_its_terms():
    page = Reading('a{x="1",y="2"} 1\na{x="2"} 2\nb 4\n')
    assert page.value('a{x="1"} + b') == 5 and page.value("a + b") == 7 and page.value("a + c") is None

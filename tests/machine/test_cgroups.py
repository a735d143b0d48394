"""cAdvisor's questions from the files of both generations of control groups."""

import pytest

from monlab.machine import cgroups

V2 = {
    "proc/self/cgroup": "0::/user.slice/job\n",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
    "sys/fs/cgroup/user.slice/job/cgroup.controllers": "cpu io memory pids\n",
    "sys/fs/cgroup/user.slice/job/cpu.stat": "usage_usec 2500000\nuser_usec 1\nnr_throttled 7\n",
    "sys/fs/cgroup/user.slice/job/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/user.slice/job/memory.current": "300000000\n",
    "sys/fs/cgroup/user.slice/job/memory.stat": "anon 1\ninactive_file 100000000\n",
    "sys/fs/cgroup/user.slice/job/memory.max": "400000000\n",
    "sys/fs/cgroup/user.slice/job/memory.events": "low 0\noom 1\noom_kill 1\n",
    "sys/fs/cgroup/user.slice/job/pids.current": "12\n",
    "sys/fs/cgroup/user.slice/job/io.stat": "254:0 rbytes=1 wbytes=100 rios=1\n254:16 rbytes=1 wbytes=23\n",
}
V1 = {
    "proc/self/cgroup": "5:memory:/job\n4:cpu,cpuacct:/job\n3:blkio:/job\n2:pids:/job\n0::/\n",
    "proc/self/mountinfo": "".join(
        f"{number} 23 0:3{number} / /sys/fs/cgroup/{names} rw - cgroup cgroup rw,{names}\n"
        for number, names in enumerate(["memory", "cpu,cpuacct", "blkio", "pids"])
    )
    + "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/cpu,cpuacct/job/cpuacct.usage": "2500000000\n",
    "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "150000\n",
    "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpu,cpuacct/job/cpu.stat": "nr_periods 9\nnr_throttled 7\n",
    "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "300000000\n",
    "sys/fs/cgroup/memory/job/memory.stat": "cache 1\ninactive_file 5\ntotal_inactive_file 100000000\n",
    "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "400000000\n",
    "sys/fs/cgroup/memory/job/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "sys/fs/cgroup/pids/job/pids.current": "12\n",
    "sys/fs/cgroup/blkio/job/blkio.throttle.io_service_bytes": "8:0 Read 5\n8:0 Write 100\n8:16 Write 23\nTotal 128\n",
    "sys/fs/cgroup/unified/cgroup.procs": "",
}
ANSWERS = ["2.50", "1.50", "7", "200,000,000", "400,000,000", "1", "12", "123"]


def machine(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


@pytest.mark.parametrize("files", [V1, V2], ids=["v1", "v2"])
def test_both_generations_give_the_same_answers(tmp_path, files):
    root = machine(tmp_path, files)
    assert list(cgroups.questions(root)["value"]) == ANSWERS
    limits = cgroups.limits(root)
    assert (limits.cores, limits.memory_bytes, limits.memory_used_bytes) == (1.5, 400_000_000, 200_000_000)
    assert f"version {1 if files is V1 else 2}" in cgroups.sentence(root)


def test_no_limit_is_no_number(tmp_path):
    v2 = {**V2, "sys/fs/cgroup/user.slice/job/cpu.max": "max 100000\n", "sys/fs/cgroup/user.slice/job/memory.max": "max\n"}
    v1 = {
        **V1,
        "sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "9223372036854771712\n",
    }
    for name, files in (("v1", v1), ("v2", v2)):
        limits = cgroups.limits(machine(tmp_path / name, files))
        assert (limits.cores, limits.memory_bytes) == (None, None)


def test_in_a_container_the_path_that_the_kernel_tells_may_not_be_visible(tmp_path):
    files = {name.replace("/user.slice/job", ""): text for name, text in V2.items() if name != "proc/self/cgroup"}
    root = machine(tmp_path, {**files, "proc/self/cgroup": "0::/../../docker/abc\n"})
    assert list(cgroups.questions(root)["value"]) == ANSWERS


def test_a_machine_that_hides_its_groups_says_so(tmp_path):
    assert "No control group can be seen" in cgroups.sentence(tmp_path)
    assert set(cgroups.questions(tmp_path)["value"]) == {"no limit that can be seen", "not shown here"}
    assert cgroups.limits(tmp_path).cores is None


def test_this_machine_answers():
    assert len(cgroups.questions()) == len(ANSWERS) and "ontrol group" in cgroups.sentence()

"""Tools of a Docker lab run in containers: they judge as those of a native one do."""

import json
import shutil

from sample_checks import SAMPLE

CODE = """
import json
from monlab.grading import registry
from monlab.grading.tried import TriedCheck
from monlab.settings import settings
judged = {}
for check in registry.everything(settings()).values():
    if isinstance(check, TriedCheck) and check.id.startswith("m90."):
        answers = [check.reference, check.accepts[0], *(answer for answer, _ in check.rejects)]
        judged[check.id] = [check.verdict(answer).message for answer in answers]
        wanted = [message for _, message in check.rejects]
        assert [check.verdict(answer).state.value for answer in answers[:2]] == ["right"] * 2, judged[check.id]
        assert judged[check.id][2:] == wanted, judged[check.id]
print(json.dumps(sorted(judged)))
"""


def test_tools_in_containers_judge_as_native_ones(docker_clone):
    (docker_clone.repo / "course" / "m90_sample").mkdir()
    shutil.copy(SAMPLE, docker_clone.repo / "course" / "m90_sample" / "checks.py")
    docker_clone.lab("up", "m02")
    assert json.loads(docker_clone.python(CODE)) == ["m90.q10", "m90.q11", "m90.q7", "m90.q8", "m90.q9"]
    assert not list((docker_clone.repo / "workspace" / ".checks").iterdir())

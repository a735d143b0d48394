"""By what the parts of a test run know each other: names in the environment."""

import os

RUN = "MONLAB_TEST_RUN"  # carried by all that a run starts: pid and start of its pytest
BUILDING = "MONLAB_TESTS_BUILD"  # set while servers are still being built


def worker() -> int:
    """The number of this worker, 0 where a run has none."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

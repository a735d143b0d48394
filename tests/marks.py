"""Names in the environment by which the parts of a test run know each other."""

RUN = "MONLAB_TEST_RUN"  # carried by all that a run starts: pid and start of its pytest
BUILDING = "MONLAB_TESTS_BUILD"  # set while servers are still being built

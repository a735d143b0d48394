"""The archived month, made once for all tests that look at its values."""

import pytest

from monlab.archive.generate import month


@pytest.fixture(scope="session")
def june():
    return month()

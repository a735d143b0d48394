"""What a notebook reaches as `slo.NAME`."""

import pkgutil

import pytest

from monlab import slo


@pytest.mark.parametrize("name", slo.__all__)
def test_a_name_of_a_lesson_is_no_file_that_would_hide_it_after_its_first_use(name):
    assert name not in {module.name for module in pkgutil.iter_modules(slo.__path__)}
    assert getattr(slo, name) is getattr(slo, name)


def test_a_wrong_name_is_told_the_right_ones():
    with pytest.raises(AttributeError, match="rule_file"):
        _ = slo.rulefile

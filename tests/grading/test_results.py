"""Results of queries as arrays: when two are the same, and what is said of the difference."""

import numpy as np
import pytest

from monlab.grading.differences import first_difference, ratio_hint
from monlab.grading.instants import between, every
from monlab.grading.results import Result, guarded, same

NAN = np.nan
AT = every("1m", during=between("2026-06-15 09:00", "2026-06-15 09:02"))


def result(*rows: list[float | None], name: str = "job") -> Result:
    """Series a, b, ... with these values; None where there is no sample."""
    values = np.array([[0.0 if one is None else one for one in row] for row in rows])
    present = np.array([[one is not None for one in row] for row in rows])
    return Result(tuple(((name, "abc"[row]),) for row in range(len(rows))), values, present)


NOTHING = Result((), np.zeros((0, 3)), np.zeros((0, 3), bool))


@pytest.mark.parametrize(
    ("mine", "wanted", "right"),
    [
        (result([1, None, 3]), result([1, NAN, 3]), True),
        (result([1, NAN, 3]), result([1, NAN, 3]), True),
        (result([1, 2, 3]), result([1, 2, 3], [NAN, NAN, None]), True),  # a series that never is a number
        (result([1, NAN, 3]), result([1, None, 3]), False),  # where nothing is wanted, NaN is something
        (result([1, None, 3]), result([1, 2, 3]), False),
        (result([1, 0, 3]), result([1, NAN, 3]), False),
        (result([1, None, 3]), result([1, None, 4]), False),
        (result([1, 2, 3]), result([1, 2, 3], [1, NAN, None]), False),
        (NOTHING, result([NAN, 1, NAN]), False),
    ],
)
def test_leaving_out_what_is_no_number_is_right(mine, wanted, right):
    assert same(mine, guarded(wanted, mine)) is right


def test_a_number_where_none_can_be_is_no_factor():
    assert ratio_hint(np.array([1.0, 2.0, 3.0]), np.array([1.0, NAN, 3.0])) == ""
    assert ratio_hint(np.array([1.0, np.inf]), np.array([1.0, 2.0])) == ""
    assert ratio_hint(np.array([1.0, 2.0]), np.array([1.000002, 2.000004])) == ""
    mine, wanted = result([1, 2, 3]), result([1, NAN, 3])
    assert "differ at 1 of 3 instants" in first_difference(mine, wanted, AT, 1e-6)
    assert "a number where none can be" in first_difference(mine, wanted, AT, 1e-6)


def test_several_metrics_are_called_so():
    assert "of several metrics" in first_difference(result([1, 2, 3], name="__name__"), result([1, 2, 3]), AT, 1e-6)


def test_what_gives_nothing_hears_of_every_cause():
    said = first_difference(NOTHING, result([1, 2, 3]), AT, 1e-6)
    assert "no labels in common" in said and "a comparison drops all" in said and "no series fits a selector" in said

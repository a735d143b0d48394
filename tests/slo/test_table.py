"""Printed numbers to their printed digits, computed ones to 1e-12."""

import math
from decimal import ROUND_HALF_UP, Decimal

import pytest
from computed import COMPUTED
from published import PUBLISHED


@pytest.mark.parametrize(("source", "ours", "printed"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_a_published_number_comes_out_to_its_printed_digits(source, ours, printed):
    assert Decimal(repr(ours)).quantize(Decimal(printed), ROUND_HALF_UP) == Decimal(printed)


@pytest.mark.parametrize(("what", "ours", "expected"), COMPUTED, ids=[row[0] for row in COMPUTED])
def test_a_number_worked_out_by_hand_comes_out(what, ours, expected):
    if expected is None or expected == math.inf:
        assert ours == expected
    else:
        assert ours == pytest.approx(float(expected), rel=1e-12, abs=0)


def test_the_tables_are_as_long_as_they_claim():
    assert len({row[0] for row in PUBLISHED}) >= 60
    assert len({row[0] for row in [*PUBLISHED, *COMPUTED]}) == len(PUBLISHED) + len(COMPUTED) >= 150

"""Pages of metrics as answers: what is compared, and what need not be the same."""

import pytest

from monlab.grading.kinds.pages import difference, read

RIGHT = read(
    "# HELP runs_total Runs.\n# TYPE runs_total counter\n"
    'runs_total{result="ok"} 41\nruns_total{result="failed"} 2\n'
    "# TYPE size_bytes gauge\nsize_bytes 3e+06\n"
)
PAGE = '# TYPE size_bytes gauge\nsize_bytes 3000000\n# TYPE runs_total counter\nruns_total{result="failed"} 2\nruns_total{result="ok"} 41.0\n'


def test_order_help_and_the_way_a_number_is_written_do_not_count():
    assert difference(read(PAGE), RIGHT) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{result="ok"}', '{ result = "ok" , }'),
        ("41.0", "4.1e1 1781516700000"),
        ("size_bytes 3000000", "size_bytes{}\t3000000 -1"),
        ('{result="failed"} 2', '{result="failed"}2'),
        ("# TYPE size_bytes gauge", "  #\tTYPE   size_bytes\t gauge "),
        ("\n", "\n    "),
        ('runs_total{result="ok"}', '{"runs_total", result="ok"}'),
        ('{result="ok"}', '{"result"="ok"}'),
        ("# TYPE size_bytes", '# TYPE "size_bytes"'),
    ],
)
def test_blanks_and_a_time_of_its_own_do_not_count(old, new):
    assert difference(read(PAGE.replace(old, new)), RIGHT) == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("size_bytes", "size_megabytes", "`size_megabytes`, which is not the name"),
        ("# TYPE size_bytes gauge\nsize_bytes 3000000\n", "", "it has 1 names, and 2 are wanted"),
        ("runs_total counter", "runs_total gauge", "has the type gauge"),
        ("# TYPE size_bytes gauge\n", "", "has the type untyped"),
        ('result="ok"', 'result="ok",user="7"', "has the label `user`"),
        ('{result="ok"}', "", ""),
        ('result="ok"', 'result="good"', "label values are not those wanted"),
        ("3000000", "3", "is 3, and another is wanted there"),
        ("3000000", "NaN", "is nan, and another is wanted there"),
        ("3000000", "0x1p-2", "is nan, and another is wanted there"),
        ("3000000", "+Inf", "is inf, and another is wanted there"),
    ],
)
def test_the_first_difference_is_named_without_the_right_answer(old, new, said):
    sentence = difference(read(PAGE.replace(old, new)), RIGHT)
    assert sentence and said in sentence
    assert "3000000" not in sentence and "3e+06" not in sentence and "failed" not in sentence

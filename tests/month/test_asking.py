"""What a notebook asks of the archived month, and what it reads when it asks for something else."""

import json

import pytest

TRY = """
import json
from monlab import archive
from monlab.problem import LabProblem
def tried(ask):
    try:
        return repr(ask())
    except LabProblem as problem:
        return f'LabProblem: {problem}'
print(json.dumps([tried(ask) for ask in (%s,)]))
"""


@pytest.fixture(scope="module")
def ask(june_servers):
    def said(*questions: str) -> list[str]:
        text = june_servers.python(TRY % ", ".join(f"lambda: {question}" for question in questions))
        return json.loads(text.splitlines()[-1])

    return said


def test_a_query_without_a_moment_is_about_the_last_minute_of_june(ask):
    last, minutes, first = ask(
        "archive.value('count(up)')",
        "archive.value('count_over_time((pg_up == 0)[30d:1m])')",
        "archive.value('sum(up{job=\"postgres\"})', archive.at(9, '04:13'))",
    )
    assert float(last) > 10 and float(minutes) == 45 and float(first) == 0


def test_a_range_has_a_row_a_step_both_ends_included_and_no_more_points_than_fit_into_a_picture(ask):
    rows, whole, columns = ask(
        "len(archive.query_range('pg_up', '2026-06-15 09:00', '2026-06-15 10:00', '1m'))",
        "len(archive.query_range('pg_up'))",
        'sorted(archive.query_range(\'http_requests_total{service="payments", code="402"}\', archive.at(3), archive.at(4)).columns)',
    )
    assert int(rows) == 61 and 400 < int(whole) <= 501 and "payments-1" in columns and "payments-2" in columns


def test_counters_are_the_samples_of_every_minute_and_nothing_where_none_was_taken(ask):
    shape, missing, last = ask(
        'archive.counters(\'http_requests_total{job="frontend", code="402"}\').shape',
        'archive.counters(\'process_start_time_seconds{job="frontend", instance="frontend-1:8080"}\').isna().any(axis=None)',
        "archive.counters('http_requests_total{job=\"payments\"}').iloc[-1].sum() == archive.value('sum(http_requests_total{job=\"payments\"})')",
    )
    assert shape == "(43200, 3)" and "True" in missing and "True" in last


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("archive.query('up', at='2026-07-15')", "holds June 2026"),
        ("archive.query('up', at='tomorrow')", "is no time"),
        ("archive.query('up', at='')", "is no time"),
        ("archive.query('up', at=1781515800)", "is no time"),
        ("archive.query('up', at=['2026-06-15'])", "is no time"),
        ("archive.query('up', at={'day': 15})", "is no time"),
        ("archive.at(10**30)", "days from 1 to 30"),
        ("archive.exemplars(start=archive.at(3), end=archive.at(2))", "before it begins"),
        ("archive.query_range('up', step=0)", "leads nowhere"),
        ("archive.query_range('up', step='0s')", "leads nowhere"),
        ("archive.query_range('up', step=[])", "is no duration"),
        ("archive.query('up', at=[])", "is no time"),
        ("archive.query_range('up', step=float('nan'))", "leads nowhere"),
        ("archive.value('\"text\"')", "the query gave a text"),
        ("archive.counters('sum(x)')", "last_over_time(sum(x)[1m])\n"),
        ("archive.at(31)", "days from 1 to 30"),
        ("archive.at(15, '9.30')", "days from 1 to 30"),
        ("archive.query_range('up', archive.at(3), archive.at(2))", "before it begins"),
        ("archive.query_range('up', step='1s')", "points a series"),
        ("archive.query('sum(')", "Prometheus refused the query"),
        ("archive.counters('nothing_total')", "No series of June matches"),
        ("archive.counters('rate(up[5m])')", "Prometheus refused the query"),
        ("archive.query('{__name__=~\".+\"}[30d]')", "too many samples"),
    ],
)
def test_a_question_that_has_no_answer_gets_a_sentence(ask, question, words):
    [said] = ask(question)
    assert said.startswith("LabProblem: ") and words in said


def test_examples_are_found_by_metric_label_and_time(ask):
    columns, count, few = ask(
        "sorted(archive.exemplars().columns)",
        "len(archive.exemplars())",
        "archive.exemplars('http_requests_total', archive.at(17, '14:00'), archive.at(17, '15:00'), service='payments').code.unique().tolist()",
    )
    assert "trace_id" in columns and "le" in columns and "time" in columns and int(count) > 1000 and "'500'" in few

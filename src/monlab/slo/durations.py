"""Lengths of time as Prometheus writes them, and back: whole seconds, so that nothing is rounded on the way."""

import re
from datetime import timedelta

from monlab.problem import LabProblem
from monlab.slo.numbers import shown

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
Length = timedelta | str


def length(text: Length) -> timedelta:
    """`"1h30m"` or a timedelta as a timedelta. Raises LabProblem on anything else, and on nothing or less."""
    if isinstance(text, timedelta):
        found = text
    else:
        parts = re.findall(r"([0-9]+)([smhdwy])", text) if isinstance(text, str) else []
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise LabProblem(f'{shown(text)} is no length of time. Write it as Prometheus does: "5m", "1h30m", "30d".')
        try:
            found = timedelta(seconds=sum(int(number) * SECONDS[unit] for number, unit in parts))
        except (OverflowError, ValueError):
            raise LabProblem(f"A window of {shown(text)} is longer than any history. Write it as in 30d.") from None
    if found > timedelta(days=36_500):  # Prometheus counts no further than 292 years
        raise LabProblem(f"A window of {shown(text)} is longer than any history. Write it as in 30d.")
    if found <= timedelta(0):
        raise LabProblem(f"A window of {text} holds nothing. Write a length above zero, as in 30d.")
    return found


def words(span: timedelta) -> str:
    """A length as Prometheus writes it, in as few units as it takes: 30 days are `30d`, 90 minutes `1h30m`."""
    left = round(span.total_seconds())
    text = ""
    for unit in "dhms":
        count, left = divmod(left, SECONDS[unit])
        text += f"{count}{unit}" if count else ""
    return text or "0s"

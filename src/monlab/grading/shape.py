"""What a result looks like from outside: how many series, named by which labels."""

from dataclasses import dataclass

SHOWN = 3  # series that are spelled out


@dataclass(frozen=True)
class Shape:
    """Number of series and label names; for the learner's own result also a few of its series."""

    series: int
    label_names: tuple[str, ...]
    examples: tuple[str, ...] = ()  # "{code="200"} 0.993"

    @property
    def outline(self) -> str:
        """Without values."""
        series = "1 series" if self.series == 1 else f"{self.series:,} series"
        return f"{series}, {'labels ' + ', '.join(self.label_names) if self.label_names else 'no labels'}"

    def __str__(self) -> str:
        more = ", ..." if self.series > len(self.examples) else ""
        return self.outline + (f": {', '.join(self.examples)}{more}" if self.examples else "")

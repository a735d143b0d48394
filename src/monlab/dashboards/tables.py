"""A panel's answers as one table: a row for each set of labels, a column for each label and each query's value."""

from dataclasses import dataclass, field

from monlab.dashboards import overrides
from monlab.dashboards.mappings import mapped
from monlab.dashboards.model import Panel
from monlab.dashboards.reducers import reduce
from monlab.dashboards.shown import Shown
from monlab.dashboards.units import formatted

Cell = float | str


@dataclass(frozen=True)
class Column:
    key: str  # in the rows
    name: str  # as shown
    ref: str = ""  # of the query whose value it is; empty for a label
    number: bool = False


@dataclass
class Table:
    columns: list[Column] = field(default_factory=list)
    rows: list[dict[str, Cell]] = field(default_factory=list)

    def column(self, name: str) -> Column:
        """The column with that name, as shown or as it was at first. Raises KeyError."""
        for one in self.columns:
            if name in (one.name, one.key):
                return one
        raise KeyError(name)


def table_of(shown: Shown) -> Table:
    """The time of a row is left out: it is the same for all of them."""
    refs = [one.target.ref for one in shown.asked if one.answer.series]
    several = len({one.target.ref for one in shown.asked}) > 1
    rows: dict[tuple[tuple[str, str], ...], dict[str, Cell]] = {}
    for line in shown.lines:
        labels = tuple(sorted((key, text) for key, text in line.series.labels.items() if key != "__name__"))
        value = reduce(line.series.values, shown.panel.reducers[0])
        rows.setdefault(labels, dict(labels))[f"Value #{line.ref}" if several else "Value"] = value
    keys = sorted({key for labels in rows for key, _ in labels})
    values = [(f"Value #{ref}" if several else "Value", ref) for ref in dict.fromkeys(refs)]
    return Table(
        [*(Column(key, key) for key in keys), *(Column(key, key, ref, True) for key, ref in values)], list(rows.values())
    )


@dataclass(frozen=True)
class Words:
    """A table as it is written: heads, which of them are numbers, and texts with their colours."""

    heads: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]


def written(table: Table, panel: Panel) -> Words:
    """Texts of the cells, with overrides of columns applied. Hidden columns are gone."""
    columns = []
    for one in table.columns:
        own, name = panel, one.name
        for override in panel.overrides:
            if overrides.meant(override, one.name, one.ref, one.number) or overrides.meant(
                override, one.key, one.ref, one.number
            ):
                own = overrides.applied(own, override.properties)
                shown = override.properties.get("displayName")
                name = shown if isinstance(shown, str) and shown.strip() else name
        if not own.hidden:
            columns.append((one, own, name))
    rows = tuple(tuple(_cell(row.get(one.key, ""), own) for one, own, _ in columns) for row in table.rows)
    return Words(tuple(name for _, _, name in columns), tuple(one.number for one, _, _ in columns), rows)


def _cell(value: Cell, panel: Panel) -> tuple[str, str]:
    text, color = mapped(panel.mappings, value)
    if text is None:
        text = value if isinstance(value, str) else formatted(value, panel.unit, panel.decimals)
    return text, color or ""

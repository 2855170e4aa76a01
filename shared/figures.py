"""What a dashboard shows, as data: panels of numbers that matter, and tables that a plot is drawn from.

A plot names columns of its own table, so that what is drawn and what is read can never differ. No number stands
without its source, the moment it was counted and, where there is one, the list behind it. Words are said in the
language of who asks; the JSON door and CSV files ask in Indonesian.
"""

import csv
import io
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from shared.database import utc_now
from shared.language import Told
from shared.words import percent, rupiah

Kind = Literal["text", "count", "decimal", "percent", "money", "date", "moment"]
"""How a cell is written; "decimal" has one digit after the comma, "percent" two."""
Cell = int | float | Told | None
"""None: not known, shown as a dash; never a zero that nobody counted."""
Tone = Literal["plain", "good", "wait", "bad", "quiet"]
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell of a spreadsheet that begins with one of these is run, not read."""


class Column(BaseModel):
    """One column of a table."""

    key: str
    label: Told
    kind: Kind = "count"
    unit: Told = ""
    """What is counted, for the plot: "perkara", "hari kerja"."""


class Row(BaseModel):
    """One row: its cells by the key of their column, and the list or thing behind it."""

    cells: dict[str, Cell]
    path: str = ""


class Series(BaseModel):
    """One column as a plot draws it."""

    key: str
    tone: Tone = "plain"


class Return(BaseModel):
    """A way back on the map of the procedure, and how often it was taken."""

    source: str
    target: str
    times: int


class Plot(BaseModel):
    """How a table is drawn: bars of one column, stacked bars of several, months upright, or the map of the steps."""

    kind: Literal["bars", "stack", "months", "flow"]
    label: str
    """Key of the column that names each row."""
    series: list[Series]
    returns: list[Return] = []


class Table(BaseModel):
    """Rows of one question, with a caption that can be read alone."""

    key: str = Field(pattern=r"^[a-z][a-z_]*$")
    caption: Told
    columns: list[Column]
    rows: list[Row] = []
    plot: Plot | None = None
    empty: Told
    """What will stand here once there is something."""
    note: Told = ""
    """How the plot is to be read, where labels alone do not say it."""
    is_first_list: bool = False
    """True when the table itself is what people come for, so it is not folded away behind its plot."""

    @property
    def is_wide(self) -> bool:
        """Tell whether half a page is too narrow for it."""
        return len(self.columns) > 5 or (self.plot is not None and self.plot.kind == "flow")


class Big(BaseModel):
    """A number that matters: with its unit, its comparison and the list behind it."""

    label: Told
    value: Cell
    kind: Kind = "count"
    unit: Told = ""
    comparison: Told = ""
    tone: Tone = "plain"
    path: str = ""


class Panel(BaseModel):
    """One subject of a dashboard."""

    key: str = Field(pattern=r"^[a-z][a-z_]*$")
    title: Told
    source: Told
    """Where the numbers come from and how they are counted, in a sentence."""
    counted_at: datetime = Field(default_factory=utc_now)
    numbers: list[Big] = []
    tables: list[Table] = []


class Choice(BaseModel):
    """A filter that the dashboard offers."""

    key: str
    label: Told
    values: list[str]
    chosen: str = ""


class Figures(BaseModel):
    """Everything that one division tells a person of itself."""

    panels: list[Panel]
    choices: list[Choice] = []


def written(value: Cell, kind: Kind) -> str:
    """Write a cell the Indonesian way; a dash where nothing is known."""
    if value is None or value == "":
        return "–"
    if isinstance(value, str):
        return value
    if kind == "money":
        return rupiah(round(value))
    if kind == "percent":
        return percent(round(value * 100), 10_000)
    if kind == "decimal":
        whole, _, tenth = f"{value:,.1f}".partition(".")
        whole = whole.replace(",", ".")
        return whole if tenth == "0" else f"{whole},{tenth}"
    return f"{round(value):,}".replace(",", ".")


def as_csv(table: Table) -> str:
    """Write a table as CSV for a spreadsheet: semicolons, commas in decimals, and no text that would be run."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([_harmless(column.label) for column in table.columns])
    for row in table.rows:
        writer.writerow([_plain(row.cells.get(column.key)) for column in table.columns])
    return "\ufeff" + text.getvalue()


def _plain(value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return str(value).replace(".", ",")
    return str(value) if isinstance(value, int) else _harmless(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_SIGNS) else text

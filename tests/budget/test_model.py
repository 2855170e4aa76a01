"""The tables that the migrations make are those of the model."""

from collections.abc import Callable

from services.budget.model import Table
from shared.database import Database
from shared.migrate import differences


def test_the_migrated_tables_are_those_of_the_model(database_of: Callable[[str], Database]) -> None:
    assert differences(database_of("budget").url, Table.metadata) == []

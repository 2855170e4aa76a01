"""One campus for all attacks of a file; each file may spoil its own."""

from collections.abc import Callable, Iterator

import pytest

from alur.embedded import Postgres
from shared import permit
from shared.keys import Keys
from tests.attacks.campus import Campus, opened_campus


@pytest.fixture(scope="module")
def campus(
    postgres: Postgres, migrated: Callable[[str], str], keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Campus]:
    """Return a running campus with two live applications that are strangers to each other."""
    home = tmp_path_factory.mktemp("campus")
    folder = home / "keys"
    folder.mkdir()
    for file in keys.folder.glob("*.key"):
        if file.name != permit.PRIVATE_KEY:
            (folder / file.name).symlink_to(file)
    permit.new_key_pair(folder)
    with opened_campus(postgres, migrated, keys_folder=folder, home=home) as running:
        yield running

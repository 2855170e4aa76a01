"""Tags of editions: how they are written, read, and compared."""

import pytest

from shared.edition import is_unchanged, must_be_present, tag_of, tags
from shared.errors import Incomplete, Stale


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('"3"', {"3"}),
        ('W/"3"', {"3"}),
        ('"1", W/"2" ,"3"', {"1", "2", "3"}),
        ('"a,b", "c"', {"a,b", "c"}),
        ('""', {""}),
        ("*", None),
        (" * ", None),
        ("", set()),
    ],
)
def test_a_header_names_tags(header: str, found: set[str] | None) -> None:
    assert tags(header) == (None if found is None else frozenset(found))


@pytest.mark.parametrize("header", ["3", '"3', '"3"x', '"1" "2"', 'w/"3"', '"1";"2"', '"\n"', "W/*"])
def test_what_is_no_tag_is_refused(header: str) -> None:
    with pytest.raises(Incomplete):
        tags(header)


@pytest.mark.parametrize("header", [None, "*", '"3"', 'W/"3"', '"2", "3"'])
def test_the_present_edition_may_be_changed(header: str | None) -> None:
    must_be_present(header, 3)


@pytest.mark.parametrize("header", ['"2"', 'W/"2"', '"33"', '""', '"1", "2"'])
def test_a_past_edition_is_stale_and_says_what_to_do(header: str) -> None:
    with pytest.raises(Stale, match="tidak hilang") as refused:
        must_be_present(header, 3)
    assert (refused.value.status, refused.value.code) == (412, "stale")


@pytest.mark.parametrize(
    ("header", "etag", "held"),
    [
        (tag_of(3), '"3"', True),
        ('W/"3"', '"3"', True),
        ('"3"', 'W/"3"', True),
        ('"1", "3"', '"3"', True),
        ("*", '"3"', True),
        ('"2"', '"3"', False),
        (None, '"3"', False),
        ('"3"', None, False),
        ("nonsense", '"3"', False),
    ],
)
def test_a_reader_who_has_it_is_told_so(header: str | None, etag: str | None, held: bool) -> None:
    assert is_unchanged(header, etag) is held

"""The documents say what the code says: steps, acts, messages, words, commands, dependencies."""

import importlib
import importlib.metadata
import pkgutil
import re
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from alur.cli import app as command_line
from alur.settings import MachineSettings
from shared.authority import Acts
from shared.identity import Role
from shared.keys import DIVISIONS, SERVICES, make_keys
from shared.messages import every_message
from shared.permit import new_key_pair
from shared.procedure import procedure
from shared.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
PAGES = [*sorted(DOCS.glob("*.md")), *DECISIONS, *(ROOT / n for n in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
DASH = "-"
"""What stands in a cell that is empty on purpose."""

Row = dict[str, str]


def rows(words: str, *columns: str) -> list[Row]:
    """Return the rows of every table that has these columns, each as column -> cell."""
    found: list[Row] = []
    head: list[str] = []
    for line in words.splitlines():
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            head = cells
        elif set(columns) <= set(head) and not set(line) <= set("|-: "):
            assert len(cells) == len(head), line
            found.append(dict(zip(head, cells, strict=True)))
    return found


def names(cell: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def read(name: str) -> str:
    """Return a document's text."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def acts(division: str) -> Acts:
    """Return a division's table of acts."""
    found: Acts = importlib.import_module(f"services.{division}.authority").ACTS
    return found


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return what each division answers, as `POST /api/x/{}/y`, its JSON door and its pages alike."""
    folder = tmp_path_factory.mktemp("doors")
    make_keys(folder / "keys")
    new_key_pair(folder / "keys")
    found = {}
    for division in DIVISIONS:
        settings = importlib.import_module(f"services.{division}.settings").Settings(
            database_url="postgresql+psycopg:///nowhere", keys_folder=folder / "keys", files_folder=folder / "files"
        )
        web = importlib.import_module(f"services.{division}.app").make(settings)
        routes = every_route(web.router)
        found[division] = {f"{method} {nameless(path)}" for path, methods in routes for method in methods}
    return found


def every_route(router: Any) -> Iterator[tuple[str, set[str]]]:
    """Yield path and methods of each route below a router, those of included routers too."""
    for route in router.routes:
        if hasattr(route, "effective_route_contexts"):
            yield from ((context.path, set(context.methods)) for context in route.effective_route_contexts())
        elif hasattr(route, "methods"):
            yield route.path, set(route.methods)


def nameless(path: str) -> str:
    """Return a path with its parameters unnamed."""
    return re.sub(r"\{[^}]*\}", "{}", path)


# --- docs/procedure.md ------------------------------------------------------------------------------------


def test_every_step_of_the_procedure_stands_in_its_document() -> None:
    told = {
        (row["Step"], row["Key"], row["Division"], row["In the SOP's words"])
        for row in rows(read("docs/procedure.md"), "Step", "Key", "Division", "In the SOP's words")
    }

    assert told == {(s.id, f"`{s.key}`", f"`{s.service}`", s.title) for s in procedure().steps.values()}


def act_rows() -> list[Row]:
    """Return the rows of the tables of acts."""
    return rows(read("docs/procedure.md"), "Act", "Division", "Step", "JSON", "Page", "Tells", "Test")


def test_every_act_of_every_division_stands_in_the_procedure() -> None:
    told = [(row["Division"].strip("`"), row["Act"].strip("`"), row["Step"]) for row in act_rows()]

    assert len(told) == len(set(told))
    assert set(told) == {(d, act.name, act.step or DASH) for d in DIVISIONS for act in acts(d)}


@pytest.mark.parametrize("division", DIVISIONS)
def test_each_act_has_the_doors_that_the_procedure_names(division: str, doors: dict[str, set[str]]) -> None:
    mine = [row for row in act_rows() if row["Division"] == f"`{division}`"]
    named = {
        row["Act"]: [nameless(n) for n in names(row["JSON"])] + [f"POST {nameless(n)}" for n in names(row["Page"])]
        for row in mine
    }

    assert mine
    assert [(act, door) for act, wanted in named.items() for door in wanted if door not in doors[division]] == []


def test_each_act_of_a_step_has_both_doors() -> None:
    lacking = [row["Act"] for row in act_rows() if not names(row["JSON"]) or not names(row["Page"])]

    assert lacking == ["`register_existing`"]


def test_every_message_stands_in_the_procedure_as_it_is() -> None:
    told = {
        row["Message"].strip("`"): (row["Step"], set(names(row["To"])), row["Move of the case"].strip("`"))
        for row in rows(read("docs/procedure.md"), "Message", "Step", "From", "To", "Move of the case")
    }

    assert told == {kind: (m.step or DASH, set(m.to), m.move or DASH) for kind, m in every_message().items()}


def test_each_message_is_posted_by_the_division_that_the_procedure_names() -> None:
    for row in rows(read("docs/procedure.md"), "Message", "From"):
        kind = row["Message"].strip("`")
        posted = {d for d in SERVICES if re.search(rf"\b{kind}(\.model_validate)?\(", sources(f"services/{d}"))}

        assert posted == set(names(row["From"])), kind


def test_what_an_act_tells_is_a_message_of_its_division() -> None:
    senders = {
        row["Message"].strip("`"): set(names(row["From"])) for row in rows(read("docs/procedure.md"), "Message", "From")
    }
    wrong = [
        (row["Act"], kind)
        for row in act_rows()
        for kind in names(row["Tells"])
        if row["Division"].strip("`") not in senders.get(kind, set())
    ]

    assert wrong == []


# --- docs/glossary.md -------------------------------------------------------------------------------------


@cache
def sources(folder: str, *kinds: str) -> str:
    """Return the text of every file below a folder (Python unless told otherwise)."""
    files = [p for kind in kinds or ("py",) for p in sorted((ROOT / folder).rglob(f"*.{kind}"))]
    return "\n".join(p.read_text(encoding="utf-8") for p in files)


def test_every_role_and_every_status_of_a_case_stands_in_the_glossary_by_its_title() -> None:
    told = {(row["Name in code"], row["Indonesian"]) for row in rows(read("docs/glossary.md"), "Indonesian")}
    wanted = {(f"`{role}`", procedure().titles[role]) for role in Role}
    wanted |= {(f"`{status.key}`", status.label) for status in procedure().statuses.values()}

    assert wanted - told == set()


def test_every_status_of_a_thing_stands_in_the_glossary() -> None:
    told = {
        row["Name in code"].strip("`"): set(names(row["Values"]))
        for row in rows(read("docs/glossary.md"), "Thing", "Name in code", "Values")
    }

    assert told == {kind.__name__: {str(value) for value in kind} for d in DIVISIONS for kind in statuses(d)}


def statuses(division: str) -> set[type[StrEnum]]:
    """Return the status enumerations of a division's model."""
    model = importlib.import_module(f"services.{division}.model")
    return {
        value
        for module in (model, *below(model))
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, StrEnum) and value.__name__.endswith("Status")
    }


def below(package: ModuleType) -> list[ModuleType]:
    """Return the modules of a package; none for a single file."""
    found = pkgutil.iter_modules(getattr(package, "__path__", []))
    return [importlib.import_module(f"{package.__name__}.{one.name}") for one in found]


def test_the_glossary_holds_only_names_that_the_code_uses() -> None:
    code = "\n".join(sources(folder, "py", "yaml") for folder in ("alur", "shared", "services"))
    used = set(re.findall(r"[A-Za-z_]\w*", code))
    told = {name for row in rows(read("docs/glossary.md"), "Name in code") for name in names(row["Name in code"])}

    assert len(told) > 100
    assert told - used == set()


# --- docs/licences.md -------------------------------------------------------------------------------------


def dependencies() -> dict[str, tuple[str, str]]:
    """Return every direct dependency: name with extras -> what for, range."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    groups = {"all": project["dependencies"], **project["optional-dependencies"]}
    found = {}
    for purpose, wanted in groups.items():
        for spec in wanted:
            match = re.fullmatch(r"([A-Za-z0-9._-]+(?:\[[a-z,]+\])?)(.*)", spec)
            assert match, spec
            found[match[1]] = (purpose, match[2] or "any")
    return found


def licence_rows() -> list[Row]:
    """Return the rows of the table of licences."""
    return rows(read("docs/licences.md"), "Package", "Range", "For", "Licence")


def test_every_direct_dependency_stands_with_its_licence() -> None:
    told = {row["Package"]: (row["For"], row["Range"]) for row in licence_rows()}

    assert told == dependencies()


@pytest.mark.parametrize("row", licence_rows(), ids=lambda row: row["Package"])
def test_a_licence_is_the_one_that_the_package_declares(row: Row) -> None:
    told = importlib.metadata.metadata(row["Package"].split("[")[0])
    declared = " ".join(
        [
            *(told.get_all("License-Expression") or []),
            *(told.get_all("License") or []),
            *(c.rpartition(":: ")[2] for c in told.get_all("Classifier") or [] if c.startswith("License ::")),
        ]
    )
    words = re.findall(r"(?:LGPL|GPL|EPL|MPL|BSD|MIT|Apache)", row["Licence"])

    assert words
    assert [word for word in words if word.lower() not in declared.lower()] == []
    assert ("GPL" in declared or "General Public" in declared) == ("GPL" in row["Licence"])


# --- every page -------------------------------------------------------------------------------------------


def page_name(path: Path) -> str:
    """Return a page's name for the test's id."""
    return str(path.relative_to(ROOT))


def code_in(words: str) -> list[str]:
    """Return what a page shows as code: between backticks, and the lines of code blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", words, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", words, flags=re.MULTILINE | re.DOTALL)
    return names(rest) + [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_leads_to_a_file_of_ours(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_file_and_test_that_a_page_names_is_there(page: Path) -> None:
    lacking = []
    for name in code_in(page.read_text(encoding="utf-8")):
        if not re.match(r"(alur|shared|services|tests|docs|deployment)/", name):
            continue
        path, _, function = name.partition("::")
        place = ROOT / path
        if not place.exists() or (function and f"def {function}(" not in place.read_text(encoding="utf-8")):
            lacking.append(name)

    assert lacking == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    known = commands()
    wrong = []
    for line in code_in(page.read_text(encoding="utf-8")):
        wrong += [f"make {t}" for t in re.findall(r"\bmake ([a-z][a-z-]*)", line.partition("#")[0]) if t not in targets]
        for first, second in re.findall(r"(?:^|/|\s)alur ([a-z]+)(?: ([a-z]+))?", line):
            if first not in known or (known[first] and second not in known[first]):
                wrong.append(f"alur {first} {second}")

    assert wrong == []


def commands() -> dict[str, set[str]]:
    """Return the commands of `alur`: name -> the commands below it."""
    root = typer.main.get_command(command_line)
    below_it: dict[str, Any] = getattr(root, "commands", {})
    return {name: set(getattr(command, "commands", {})) for name, command in below_it.items()}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_setting_that_a_page_names_is_read_somewhere(page: Path) -> None:
    told = set(re.findall(r"\bALUR_[A-Z_]+\b", page.read_text(encoding="utf-8")))
    known = set(re.findall(r"\bALUR_[A-Z_]+\b", sources("alur") + sources("shared") + read(".env.example")))
    known |= {f"ALUR_{name.upper()}" for name in MachineSettings.model_fields}
    for service in SERVICES:
        settings: type[ServiceSettings] = importlib.import_module(f"services.{service}.settings").Settings
        known |= {f"ALUR_{service}_{name}".upper() for name in settings.model_fields}

    assert told - known == set()


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_no_page_leads_to_another_host(page: Path) -> None:
    hosts = re.findall(r"https?://([^/\s:`)]+)", page.read_text(encoding="utf-8"))

    assert [host for host in hosts if host != "127.0.0.1" and not host.endswith(".example")] == []


def test_the_defaults_in_the_readme_are_the_defaults() -> None:
    told = {row["Variable"].strip("`"): row["Default"].strip("`") for row in rows(read("README.md"), "Variable")}
    fields = MachineSettings.model_fields
    meant = {f"ALUR_{name.upper()}": str(field.get_default()) for name, field in fields.items()}

    assert told == meant | {"ALUR_HOME": "./var", "ALUR_DEMO": "true"}


@pytest.mark.parametrize("page", DECISIONS, ids=page_name)
def test_a_decision_tells_why_and_what_else_was_considered(page: Path) -> None:
    words = page.read_text(encoding="utf-8")

    assert words.startswith(f"# {page.name[:4]} ")
    assert re.findall(r"^## (.+)$", words, re.MULTILINE) == [
        "Context",
        "Decision",
        "Consequences",
        "What else was considered",
    ]


def test_decisions_are_numbered_without_a_hole_and_listed() -> None:
    linked = re.findall(r"\(decisions/([^)]+)\)", read("docs/architecture.md"))

    assert [page.name[:4] for page in DECISIONS] == [f"{n:04d}" for n in range(1, len(DECISIONS) + 1)]
    assert linked == [page.name for page in DECISIONS]


def test_every_promise_is_tested_by_a_test_that_exists() -> None:
    told = rows(read("docs/architecture.md"), "Promise", "Kept by", "Tested by")

    assert [row[""] for row in told] == [f"P{n}" for n in range(1, 10)]
    assert [row[""] for row in told if not any("::" in name for name in names(row["Tested by"]))] == []


def test_the_picture_shows_every_service_and_every_station() -> None:
    picture = ET.parse(DOCS / "picture.svg").getroot()
    shown = " ".join("".join(element.itertext()) for element in picture)

    assert [name for name in SERVICES if name not in shown] == []
    assert [step.id for step in procedure().stations if not re.search(rf"\b{step.id}\b", shown)] == []

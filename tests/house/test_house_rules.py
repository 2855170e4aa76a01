"""The rules of the house that a machine can keep."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(p for folder in ("alur", "shared", "services") for p in (ROOT / folder).rglob("*.py"))
OURS = [p for p in SOURCES if "migrations" not in p.parts]
FORBIDDEN_NAMES = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "misc",
    "base",
    "core",
    "manager",
    "service",
}
DIVISIONS = ("proposal", "budget", "deploy", "security", "helpdesk")


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_every_module_says_what_it_holds(path: Path) -> None:
    told = ast.get_docstring(_tree(path))

    assert told, f"{_name(path)} lacks its first sentence"


def test_no_file_is_named_for_nothing() -> None:
    assert [_name(p) for p in SOURCES if p.stem in FORBIDDEN_NAMES] == []


def test_nobody_commits_but_the_edge() -> None:
    edges = {
        "shared/web.py",
        "shared/mailbox.py",
        "shared/worker.py",
        "shared/jobs.py",
        "shared/migrate.py",
        "shared/clock.py",
    }
    guilty = []
    for path in OURS:
        if _name(path) in edges or path.parts[-3:-1] == ("alur",) or "gateway" in path.parts:
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
                guilty.append(f"{_name(path)}:{node.lineno}")

    assert guilty == []


def test_only_the_relay_publishes() -> None:
    names = {"delay", "apply_async", "send_task", "chord", "chain"}
    guilty = []
    for path in OURS:
        if _name(path) in ("shared/worker.py", "shared/clock.py"):
            continue
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
                guilty.append(f"{_name(path)}:{node.lineno}")

    assert guilty == []


def test_subprocesses_start_only_where_the_outside_is_met() -> None:
    allowed = re.compile(r"services/security/scanners/|services/deploy/host_helper\.py|alur/")
    guilty = []
    for path in OURS:
        for node in ast.walk(_tree(path)):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if "subprocess" in names and not allowed.match(_name(path)):
                guilty.append(_name(path))

    assert guilty == []


def test_no_shell_text_anywhere() -> None:
    guilty = []
    for path in OURS:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.keyword) and node.arg == "shell":
                guilty.append(_name(path))
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("system", "popen")
                and isinstance(node.value, ast.Name)
            ) and node.value.id == "os":
                guilty.append(_name(path))

    assert guilty == []


def test_whoever_acts_for_a_person_asks_authority_first() -> None:
    """An action with `by: Person` calls authorize before it changes anything."""
    guilty = []
    for division in DIVISIONS:
        folder = ROOT / "services" / division
        files = [folder / "actions.py"] if (folder / "actions.py").exists() else sorted(folder.glob("actions/*.py"))
        for path in files:
            for node in _tree(path).body:
                if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                    continue
                takes = [a.arg for a in node.args.args[:2]]
                if takes != ["session", "by"] or "None" in ast.unparse(
                    node.args.args[1].annotation or ast.Constant("")
                ):
                    continue
                calls = {ast.unparse(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
                if not any(c == "authorize" or c.endswith(".authorize") for c in calls):
                    guilty.append(f"{_name(path)}:{node.lineno} {node.name}")

    assert guilty == []


def test_every_message_has_exactly_one_handler_at_each_receiver(handled: dict[str, set[str]]) -> None:
    from shared.messages import every_message

    wanted = {service: {k for k, m in every_message().items() if service in m.to} for service in DIVISIONS}

    assert {s: handled[s] for s in DIVISIONS} == wanted


def test_no_address_stands_in_a_lock() -> None:
    locks = list(ROOT.glob("*.lock"))

    assert locks
    assert [p.name for p in locks if "://" in p.read_text()] == []


def test_nothing_names_the_place_where_it_was_written() -> None:
    places = [f"{folder}/" for folder in (ROOT, Path.home()) if len(folder.parts) > 1]
    texts = SOURCES + [p for p in ROOT.rglob("*.md") if ".venv" not in p.parts]

    guilty = [_name(p) for p in texts if any(place in p.read_text(encoding="utf-8") for place in places)]

    assert guilty == []

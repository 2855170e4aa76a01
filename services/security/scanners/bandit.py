"""Bandit over the Python of one build, shut in, with a canary, judged by its report alone.

Its exit code says nothing: it is 0 after a syntax error, a crash, a missing folder. So the report must cover
our own inventory, be free of errors, name the version of the policy, and hold the findings of a file that we
plant. The files get names of our own (`000001.py`): no name, folder or setting of the build reaches the tool.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from services.security.scanners import Finding, ScanResult, Severity, fingerprint, printable
from services.security.verdict import Policy, standing_policy
from shared.errors import Refused
from shared.manifest import Entry, Manifest
from shared.store import Store

ENGINE = "bandit"
RULES = Path(__file__).parent / "bandit_rules.yaml"

_HEAD = 64 << 10
_MAX_REPORT = 64 << 20
_MAX_STDERR = 1 << 20

_TREE = "../src"
"""Where the files lie, seen from the folder in which the tool runs."""
_CANARY = f"{_TREE}/000000.py"
# The second line proves that `# nosec` is not obeyed.
_CANARY_TEXT = """\
import subprocess
exec(input())  # nosec
subprocess.call(input(), shell=True)
"""
_CANARY_FINDINGS = frozenset({("B102", 2), ("B602", 3)})

# Limits first, then the tool in the same process: no thread of ours runs between fork and exec.
_LAUNCH = """\
import json, resource, runpy, sys
for name, most in json.loads(sys.argv[1]).items():
    resource.setrlimit(getattr(resource, name), (most, most))
sys.argv = ["bandit", *sys.argv[2:]]
runpy.run_module("bandit", run_name="__main__", alter_sys=True)
"""
# Which of the files that only look like Python are Python: parsed, never run.
_PARSE = """\
import ast, json, pathlib, resource, sys
for name, most in json.loads(sys.argv[1]).items():
    resource.setrlimit(getattr(resource, name), (most, most))
python = []
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    try:
        if ast.parse(path.read_bytes()).body:
            python.append(path.name)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
pathlib.Path("python.json").write_text(json.dumps(python))
"""
_FULL_ISOLATION = ("--user", "--map-root-user", "--net", "--pid", "--fork", "--kill-child=KILL")

_PYTHON_SUFFIXES = frozenset({".py", ".pyw", ".pyi", ".py3", ".wsgi", ".asgi"})
_COMPILED_SUFFIXES = frozenset({".pyc", ".pyo", ".pyz", ".pyzw", ".egg", ".whl"})
# Files of other languages, in which a line may look like Python.
_OTHER_SUFFIXES = frozenset(
    {".php", ".phtml", ".inc", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".vue", ".css", ".scss", ".less"}
    | {".html", ".htm", ".twig", ".md", ".rst", ".json", ".xml", ".svg", ".yml", ".yaml", ".toml", ".lock"}
    | {".java", ".kt", ".scala", ".groovy", ".rb", ".go", ".rs", ".c", ".h", ".cpp", ".cs", ".swift", ".sql"}
    | {".po", ".csv", ".map", ".tpl", ".pl", ".pm", ".hs", ".dart"}
)
_SHEBANG = re.compile(rb"#![^\n]*\b(python|pypy)", re.IGNORECASE)
_LOOKS_PYTHON = re.compile(
    rb"^[ \t]*(import \w|from [\w.]+ import |(async )?def \w+\(|class \w|if __name__"
    rb"|exec\(|print\(|__import__\()",
    re.MULTILINE,
)
_TEXT_IN_QUOTES = re.compile(r"""("|')(?:(?!\1).)+\1""")
_SECRET_RULES = frozenset({"B105", "B106", "B107"})


@dataclass(frozen=True)
class CodeTarget:
    """One build: its list of files, and the store that holds them."""

    manifest: Manifest
    store: Store


@dataclass
class Inventory:
    """Which files of a build are Python, by our own look at name and content."""

    python: list[Entry] = field(default_factory=list)
    guessed: list[Entry] = field(default_factory=list)
    """Neither named nor marked as Python, but some lines look like it: a parser decides."""
    compiled: list[Entry] = field(default_factory=list)
    """Python that can run and cannot be read."""


class BanditScanner:
    """The engine `bandit`."""

    engine = ENGINE

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or standing_policy()
        self.rules = self.policy.engines[ENGINE]

    def scan(self, target: CodeTarget) -> ScanResult:
        """Scan every Python file of the build (S08); whatever goes wrong makes the result incomplete."""
        run = _Run(self.rules)
        try:
            with _workshop() as folder:
                run.scan(target, folder)
        except (Refused, OSError) as trouble:
            run.problems.append(_told(trouble))
        return ScanResult(
            engine=ENGINE,
            version=run.version,
            policy_digest=self.policy.engine_digest(ENGINE),
            digest=target.manifest.digest,
            complete=not run.problems,
            problems=tuple(run.problems),
            findings=tuple(run.findings),
            scanned_files=tuple(sorted(run.scanned)),
            isolation=run.isolation,
        )


def take_inventory(target: CodeTarget) -> Inventory:
    """Look at the first bytes of every file of the build; refuses what the store holds damaged."""
    inventory = Inventory()
    for entry in target.manifest:
        with target.store.open(entry.sha256, verify=True) as file:
            head = file.read(_HEAD)
        suffix = Path(entry.path).suffix.lower()
        if suffix in _COMPILED_SUFFIXES or _is_compiled(head):
            inventory.compiled.append(entry)
        elif suffix in _PYTHON_SUFFIXES or _SHEBANG.match(head):
            inventory.python.append(entry)
        elif suffix not in _OTHER_SUFFIXES and b"\0" not in head and _LOOKS_PYTHON.search(head):
            inventory.guessed.append(entry)
    return inventory


def judge_report(
    report: bytes, log: bytes, *, files: Mapping[str, str], version: str
) -> tuple[list[str], list["Result"]]:
    """Return what is wrong with bandit's report, in Indonesian, and its results without the canary's.

    `files` maps our names (`../src/000001.py`) to the build's; the canary is expected beside them.
    """
    try:
        read = Report.model_validate_json(report)
    except ValidationError:
        return ["Laporan bandit tidak ada, terpotong, atau tidak sah."], []
    named = {**files, _CANARY: "berkas penanda"}
    problems = [
        f"Berkas {printable(named.get(error.filename, error.filename))} tidak dapat diperiksa bandit "
        f"({printable(error.reason, most=100)}). Mohon perbaiki atau keluarkan berkas itu."
        for error in read.errors
    ]
    problems += _coverage_faults(read, named)
    problems += _canary_faults(read, version)
    # A rule that breaks is only logged, and its findings are silently lost.
    if b"internal error" in log or b"\tERROR\t" in log or len(log) >= _MAX_STDERR:
        problems.append("Bandit melaporkan gangguan dalam dirinya; hasilnya tidak dapat dipercaya.")
    return problems, [result for result in read.results if result.filename in files]


def _coverage_faults(read: "Report", named: Mapping[str, str]) -> list[str]:
    counted = {name: figures for name, figures in read.metrics.items() if name != "_totals"}
    problems = [
        f"Berkas {printable(named[name])} tidak diperiksa bandit." for name in sorted(named.keys() - counted.keys())
    ]
    if surplus := (counted.keys() | {result.filename for result in read.results}) - named.keys():
        problems.append(f"Bandit melaporkan berkas di luar daftar: {printable(min(surplus))}.")
    if any(figures.get("nosec", 0) or figures.get("skipped_tests", 0) for figures in counted.values()):
        problems.append("Bandit menuruti tanda “nosec” dalam kode; hasilnya tidak dapat dipercaya.")
    told = Counter(result.filename for result in read.results)
    for name, figures in counted.items():
        if told[name] != sum(count for key, count in figures.items() if key.startswith("SEVERITY.")):
            problems.append(f"Jumlah temuan pada {printable(named.get(name, name))} tidak cocok dengan laporannya.")
    return problems


def _canary_faults(read: "Report", version: str) -> list[str]:
    seen = [result for result in read.results if result.filename == _CANARY]
    if not {(result.test_id, result.line_number) for result in seen} >= _CANARY_FINDINGS:
        return ["Temuan pada berkas penanda tidak muncul: aturan bandit tidak berjalan lengkap."]
    if not all(f"/{version}/" in result.more_info for result in seen):
        return [f"Laporan bukan dari bandit versi {printable(version)}."]
    return []


class _Loose(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class ReportError(_Loose):
    """A file that bandit could not read."""

    filename: str
    reason: str


class Weakness(_Loose):
    """The CWE number of a result; bandit leaves it out when it has none."""

    id: int = 0


class Result(_Loose):
    """One result of bandit."""

    filename: str
    line_number: int
    line_range: list[int]
    test_id: str
    test_name: str
    issue_severity: str
    issue_confidence: str
    issue_text: str
    issue_cwe: Weakness
    more_info: str


class Report(_Loose):
    """Bandit's JSON."""

    errors: list[ReportError]
    generated_at: str
    metrics: dict[str, dict[str, int]]
    results: list[Result]


class _Run:
    """One scan, from the inventory to the findings."""

    def __init__(self, rules: Mapping[str, Any]) -> None:
        self.rules = rules
        self.version = _installed_version()
        self.isolation = "namespaces" if _can_isolate() else "limits"
        self.problems: list[str] = []
        self.findings: list[Finding] = []
        self.scanned: list[str] = []

    def scan(self, target: CodeTarget, folder: Path) -> None:
        if self.version != self.rules["version"]:
            wanted = printable(str(self.rules["version"]))
            self.problems.append(f"Bandit versi {self.version or '(tidak ada)'}, sedangkan aturan meminta {wanted}.")
        if not self.version:
            return
        inventory = take_inventory(target)
        self.findings += [_compiled_finding(entry) for entry in inventory.compiled]
        entries = inventory.python + self._parsed(target.store, inventory.guessed, folder)
        files = {f"{_TREE}/{number:06}.py": entry for number, entry in enumerate(entries, 1)}
        self.scanned = [entry.path for entry in entries]
        report, log = self._bandit(target.store, files, folder)
        problems, results = judge_report(
            report, log, files={name: entry.path for name, entry in files.items()}, version=self.version
        )
        self.problems += problems
        self.findings += self._findings(results, files, folder)

    def _parsed(self, store: Store, guessed: Sequence[Entry], folder: Path) -> list[Entry]:
        """Return those files that a parser takes for Python; its failure makes the scan incomplete."""
        if not guessed:
            return []
        looks = folder / "looks"
        looks.mkdir()
        for number, entry in enumerate(guessed):
            store.copy(entry.sha256, looks / f"{number:06}")
        self._run(_PARSE, [str(looks)], folder)
        try:
            names = json.loads((folder / "out" / "python.json").read_bytes())
            return [guessed[int(name)] for name in names]
        except (OSError, ValueError, IndexError, TypeError):
            self.problems.append("Berkas yang mirip Python tidak dapat dikenali jenisnya.")
            return []

    def _bandit(self, store: Store, files: Mapping[str, Entry], folder: Path) -> tuple[bytes, bytes]:
        source = folder / "src"
        source.mkdir()
        out = folder / "out"
        out.mkdir(exist_ok=True)
        (out / _CANARY).write_text(_CANARY_TEXT)
        for name, entry in files.items():
            store.copy(entry.sha256, out / name)
        source.chmod(0o500)
        (folder / "empty.ini").write_text("[bandit]\n")
        (folder / "bandit.yaml").write_text(yaml.safe_dump({"skips": self.rules["skips"], "include": ["*.py"]}))
        # An empty -x, for bandit's own list would leave out .git, .tox and the like.
        options = ["--ini", str(folder / "empty.ini"), "-c", str(folder / "bandit.yaml"), "-x", ""]
        options += ["--ignore-nosec", "-q", "-f", "json", "-o", "report.json", "-r", "--", _TREE]
        log = self._run(_LAUNCH, options, folder)
        return _capped(out / "report.json", _MAX_REPORT), log

    def _run(self, program: str, arguments: Sequence[str], folder: Path) -> bytes:
        """Run a program of ours under limits, in a group of its own; return what it complained of.

        When its time is over, the whole group is killed and a problem is noted.
        """
        seconds = float(self.rules["seconds"])
        limits = {
            "RLIMIT_CPU": int(seconds) + 1,
            "RLIMIT_AS": int(self.rules["memory_mb"]) << 20,
            "RLIMIT_FSIZE": _MAX_REPORT,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_CORE": 0,
        }
        command = [sys.executable, "-I", "-B", "-X", "utf8", "-c", program, json.dumps(limits), *arguments]
        if self.isolation == "namespaces":
            command = ["unshare", *_FULL_ISOLATION, "--", *command]
        out = folder / "out"
        out.mkdir(exist_ok=True)
        log = out / "stderr"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=out,
                env={"PATH": os.defpath, "HOME": str(out), "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.problems.append(f"Pemindaian tidak selesai dalam {seconds:g} detik dan dihentikan.")
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return _capped(log, _MAX_STDERR)

    def _findings(self, results: Sequence[Result], files: Mapping[str, Entry], folder: Path) -> list[Finding]:
        times: Counter[tuple[str, str, str]] = Counter()
        findings = []
        for result in sorted(results, key=lambda one: (one.filename, one.line_number, one.test_id)):
            path = files[result.filename].path
            code = _lines(folder / "out" / result.filename, result.line_range or [result.line_number])
            if result.test_id in _SECRET_RULES:
                code = _TEXT_IN_QUOTES.sub("“•••”", code)
            context = (result.test_id, path, " ".join(code.split()))
            findings.append(self._finding(result, path=path, code=code, occurrence=times[context]))
            times[context] += 1
        return findings

    def _finding(self, result: Result, *, path: str, code: str, occurrence: int) -> Finding:
        words = _words(result.test_id)
        weight = self.rules["heavier"].get(result.test_id) or self.rules["severity"].get(result.issue_severity)
        return Finding(
            fingerprint=fingerprint(ENGINE, result.test_id, path, code, occurrence=occurrence),
            engine=ENGINE,
            rule=result.test_id,
            control=words["control"],
            cwe=f"CWE-{result.issue_cwe.id}" if result.issue_cwe.id else "",
            # A weight that bandit does not have today counts as grave until somebody has looked at it.
            severity=Severity(weight or "high"),
            title=words["title"],
            risk=words["risk"],
            where=f"{path}:{result.line_number}",
            evidence=printable(code),
            recommendation=words["recommendation"],
        )


@contextlib.contextmanager
def _workshop() -> Iterator[Path]:
    """Give a folder of our own that goes away afterwards, read-only parts included."""
    folder = Path(tempfile.mkdtemp(prefix="alur-scan-")).resolve()
    try:
        yield folder
    finally:
        for inner in (
            folder,
            *(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()),
        ):
            inner.chmod(0o700)
        shutil.rmtree(folder)


@cache
def _can_isolate() -> bool:
    """Tell whether this system lets us shut a program off from network and processes."""
    if shutil.which("unshare", path=os.defpath) is None:
        return False
    try:
        trial = subprocess.run(
            ["unshare", *_FULL_ISOLATION, "--", "true"],
            env={"PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return trial.returncode == 0


def _installed_version() -> str:
    try:
        return metadata.version("bandit")
    except metadata.PackageNotFoundError:
        return ""


def _is_compiled(head: bytes) -> bool:
    # Python's magic numbers: 3000-3999 little endian, then CR LF.
    return len(head) >= 16 and head[2:4] == b"\r\n" and 3000 <= int.from_bytes(head[:2], "little") < 4000


def _compiled_finding(entry: Entry) -> Finding:
    return Finding(
        fingerprint=fingerprint(ENGINE, "ALUR-COMPILED", entry.path, ""),
        engine=ENGINE,
        rule="ALUR-COMPILED",
        control="K47",
        cwe="CWE-506",
        severity=Severity.HIGH,
        title="Kode Python terkompilasi atau terkemas",
        risk="Kode ini dapat berjalan di server, tetapi isinya tidak dapat diperiksa.",
        where=entry.path,
        evidence=f"SHA-256 {entry.sha256}",
        recommendation="Keluarkan berkas ini (misalnya folder __pycache__) dan sertakan kode sumbernya.",
    )


@cache
def _word_groups() -> dict[str, dict[str, str]]:
    read = yaml.safe_load(RULES.read_text("utf-8"))
    words: dict[str, dict[str, str]] = {"": read["other"]}
    for group in read["groups"]:
        for rule in group["rules"]:
            words[rule] = group
    return words


def _words(rule: str) -> dict[str, str]:
    words = _word_groups()
    return words.get(rule, words[""])


def _lines(path: Path, numbers: Sequence[int]) -> str:
    first, last = min(numbers), min(max(numbers), min(numbers) + 20)
    with path.open(encoding="utf-8", errors="backslashreplace") as file:
        return "".join(line[:400] for number, line in enumerate(file, 1) if first <= number <= last)


def _capped(path: Path, most: int) -> bytes:
    """Read at most `most` bytes of a plain file; what is missing or no plain file reads as nothing."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        return file.read(most) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""


def _told(trouble: Refused | OSError) -> str:
    if isinstance(trouble, Refused):
        return trouble.detail
    return f"Pemindaian tidak dapat dijalankan di mesin ini ({printable(trouble.strerror or '')})."

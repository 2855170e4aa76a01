"""Findings, scans and the standing policy in; whether a pass is possible, and why not, out. Touches nothing.

A person gives the verdict (S08). This page only takes away the verdict *lulus* where it would be untrue.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer, SkipValidation, StringConstraints

from shared.errors import FieldError, Refused
from shared.sentence import Sentence, together

STANDING_POLICY = Path(__file__).parent / "policy.yaml"

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}\z")]
Control = Annotated[str, StringConstraints(pattern=r"^[KX][0-9]{2}\z")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Severity(StrEnum):
    """How much harm a finding can do."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


# A set has no order, and the digest of the policy must have one.
Severities = Annotated[frozenset[Severity], PlainSerializer(sorted, return_type=list[Severity])]

SEVERITY_WORDS = {
    Severity.CRITICAL: "kritis",
    Severity.HIGH: "tinggi",
    Severity.MEDIUM: "sedang",
    Severity.LOW: "rendah",
}


class Finding(_Frozen):
    """One thing that is wrong, in words for leaders and with detail for those who mend it."""

    fingerprint: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}\z")]
    """Names the same fault again in the next scan, also when its line has moved."""
    engine: str
    rule: str
    control: Control
    cwe: str
    severity: Severity
    title: str
    risk: str
    """One sentence for leaders."""
    where: str
    evidence: str = Field(max_length=600)
    """Printable, cut, and without secrets."""
    recommendation: str


class ScanResult(_Frozen):
    """What one engine says of one build, and whether it looked at all of it."""

    engine: str
    version: str
    policy_digest: Digest
    """The part of the policy under which this engine ran."""
    digest: Digest
    """The build that was looked at."""
    complete: bool
    problems: tuple[str, ...] = ()
    """Why it is not complete, in Indonesian."""
    findings: tuple[Finding, ...] = ()
    scanned_files: tuple[str, ...] = ()
    isolation: str = ""
    """What the engine was shut in: "namespaces", or "limits" where the system allows no more."""


class Acceptance(_Frozen):
    """A risk that is taken for a time (S08): security head and Head both, and neither asked for it."""

    fingerprint: str
    reason: str = Field(min_length=1)
    requested_by: str
    approved_by_security_head: str
    approved_by_head: str
    accepted_on: date
    until_on: date


class Policy(_Frozen):
    """The standing rules of the security test."""

    version: int
    blocking: Severities
    never_accepted: Severities
    acceptance_days: int = Field(ge=1)
    due_days: dict[Severity, int]
    engines: dict[str, dict[str, JsonValue]] = Field(min_length=1)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the whole policy; every permit names it."""
        return _digest(self.model_dump(mode="json"))

    def engine_digest(self, engine: str) -> str:
        """SHA-256 over the part that rules one engine; every scan names it."""
        return _digest({"engine": engine, "rules": self.engines[engine]})


class Reason(_Frozen):
    """One thing that stands in the way of a pass."""

    code: str
    words: SkipValidation[str]
    """Kept as it is made: a sentence that remembers its places."""


class Judgement(_Frozen):
    """Whether a person may say *lulus*, and what stands in the way."""

    may_pass: bool
    reasons: tuple[Reason, ...]


class PassRefused(Refused):
    """The verdict *lulus* would be untrue."""

    status = 409
    code = "pass_refused"
    title = "Belum dapat dinyatakan lulus"


@cache
def standing_policy() -> Policy:
    """Return the policy that ships with Alur."""
    return Policy.model_validate(yaml.safe_load(STANDING_POLICY.read_text("utf-8")))


def judge(
    policy: Policy,
    *,
    digest: str,
    scans: Sequence[ScanResult],
    today: date,
    by_hand: Iterable[Finding] = (),
    acceptances: Iterable[Acceptance] = (),
    unanswered: Iterable[str] = (),
) -> Judgement:
    """Say whether the build `digest` may pass, and every reason why not (S08).

    `scans` in the order in which they were made: the latest of each engine counts. `by_hand` are open
    findings of people; `unanswered` the controls that nobody has answered yet.
    """
    reasons: list[Reason] = []
    findings = list(by_hand)
    for engine in sorted(policy.engines):
        latest = next((scan for scan in reversed(scans) if scan.engine == engine), None)
        reasons += _scan_faults(policy, engine, latest, digest)
        if latest is not None:
            findings += latest.findings
    accepted = {acceptance.fingerprint: acceptance for acceptance in acceptances}
    for finding in {finding.fingerprint: finding for finding in findings}.values():
        if finding.severity in policy.blocking:
            reasons += _finding_faults(policy, finding, accepted.get(finding.fingerprint), today)
    if waiting := sorted(set(unanswered)):
        reasons.append(
            Reason(
                code="unanswered_control",
                words=Sentence("Butir kendali belum dijawab: {waiting}.", waiting=", ".join(waiting)),
            )
        )
    return Judgement(may_pass=not reasons, reasons=tuple(reasons))


def refuse_untrue_pass(judgement: Judgement) -> None:
    """Refuse a person's *lulus* with `PassRefused`, every reason in its errors, unless it is possible."""
    if judgement.may_pass:
        return
    raise PassRefused(
        Sentence(
            "Aplikasi belum dapat dinyatakan lulus. {reasons} Mohon selesaikan, lalu uji kembali.",
            reasons=together([reason.words for reason in judgement.reasons[:3]]),
        ),
        errors=[FieldError("/verdict", reason.words) for reason in judgement.reasons],
    )


def _scan_faults(policy: Policy, engine: str, scan: ScanResult | None, digest: str) -> list[Reason]:
    if scan is None:
        return [Reason(code="scan_missing", words=Sentence("Pemindaian {engine} belum dijalankan.", engine=engine))]
    faults = []
    if scan.digest != digest:
        faults.append(
            Reason(
                code="scan_of_other_build",
                words=Sentence("Pemindaian {engine} adalah untuk kemasan lain.", engine=engine),
            )
        )
    if scan.policy_digest != policy.engine_digest(engine):
        faults.append(
            Reason(
                code="scan_under_other_rules",
                words=Sentence("Pemindaian {engine} memakai aturan yang sudah diganti.", engine=engine),
            )
        )
    if not scan.complete or scan.problems:
        because = f": {scan.problems[0]}" if scan.problems else "."
        faults.append(
            Reason(
                code="scan_incomplete",
                words=Sentence("Pemindaian {engine} tidak lengkap{because}", engine=engine, because=because),
            )
        )
    return faults


def _finding_faults(policy: Policy, finding: Finding, acceptance: Acceptance | None, today: date) -> list[Reason]:
    words = Sentence(
        "Temuan {severity} “{title}” ({where})",
        severity=SEVERITY_WORDS[finding.severity],
        title=finding.title,
        where=finding.where,
    )
    if acceptance is None:
        return [Reason(code="open_finding", words=Sentence("{words} masih terbuka.", words=words))]
    if finding.severity in policy.never_accepted:
        return [
            Reason(code="never_accepted", words=Sentence("{words} tidak boleh diterima sebagai risiko.", words=words))
        ]
    approvers = {acceptance.approved_by_security_head, acceptance.approved_by_head}
    if len(approvers) < 2 or acceptance.requested_by in approvers:
        return [
            Reason(
                code="self_approval",
                words=Sentence("Penerimaan risiko atas {words} disetujui pemintanya sendiri.", words=words),
            )
        ]
    longest = acceptance.accepted_on + timedelta(days=policy.acceptance_days)
    if not acceptance.accepted_on <= today <= min(acceptance.until_on, longest):
        return [
            Reason(
                code="acceptance_expired",
                words=Sentence("Masa penerimaan risiko atas {words} tidak berlaku.", words=words),
            )
        ]
    return []


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()

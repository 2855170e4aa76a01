"""A pass that would be untrue cannot be given by anybody."""

import subprocess
import sys
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.security.scanners import fingerprint
from services.security.verdict import (
    Acceptance,
    Finding,
    Judgement,
    PassRefused,
    Policy,
    ScanResult,
    Severity,
    judge,
    refuse_untrue_pass,
    standing_policy,
)

BUILD = "d" * 64
TODAY = date(2026, 11, 22)
POLICY = standing_policy()


def scan(engine: str, *findings: Finding, **changes: Any) -> ScanResult:
    fields: dict[str, Any] = {
        "engine": engine,
        "version": "1",
        "policy_digest": POLICY.engine_digest(engine),
        "digest": BUILD,
        "complete": True,
        "findings": findings,
    }
    return ScanResult(**fields | changes)


def finding(severity: Severity, rule: str = "B602") -> Finding:
    return Finding(
        fingerprint=fingerprint("bandit", rule, "a.py", severity),
        engine="bandit",
        rule=rule,
        control="K22",
        cwe="CWE-78",
        severity=severity,
        title="Perintah sistem lewat shell",
        risk="Server dapat diambil alih.",
        where="a.py:5",
        evidence="x",
        recommendation="x",
    )


def acceptance(one: Finding, **changes: Any) -> Acceptance:
    fields: dict[str, Any] = {
        "fingerprint": one.fingerprint,
        "reason": "hanya dapat dijangkau dari jaringan dalam",
        "requested_by": "ani",
        "approved_by_security_head": "sari",
        "approved_by_head": "citra",
        "accepted_on": TODAY,
        "until_on": TODAY + timedelta(days=30),
    }
    return Acceptance(**fields | changes)


def judged(*scans: ScanResult, **given_: Any) -> Judgement:
    return judge(POLICY, digest=BUILD, scans=scans, today=given_.pop("today", TODAY), **given_)


def codes(judgement: Judgement) -> list[str]:
    return [reason.code for reason in judgement.reasons]


def test_two_complete_scans_without_grave_findings_may_pass() -> None:
    judgement = judged(scan("bandit", finding(Severity.MEDIUM), finding(Severity.LOW)), scan("probe"))

    assert judgement.may_pass
    assert judgement.reasons == ()
    refuse_untrue_pass(judgement)


@pytest.mark.parametrize(
    ("scans", "code"),
    [
        ([], "scan_missing"),
        ([scan("bandit")], "scan_missing"),
        ([scan("bandit", complete=False), scan("probe")], "scan_incomplete"),
        ([scan("bandit", problems=("x",)), scan("probe")], "scan_incomplete"),
        ([scan("bandit", digest="e" * 64), scan("probe")], "scan_of_other_build"),
        ([scan("bandit", policy_digest="e" * 64), scan("probe")], "scan_under_other_rules"),
        ([scan("bandit", finding(Severity.HIGH)), scan("probe")], "open_finding"),
        ([scan("bandit"), scan("probe", finding(Severity.CRITICAL))], "open_finding"),
    ],
)
def test_g6_a_missing_incomplete_or_foreign_scan_or_a_grave_finding_forbids_a_pass(
    scans: list[ScanResult], code: str
) -> None:
    judgement = judged(*scans)

    assert not judgement.may_pass
    assert set(codes(judgement)) == {code}
    with pytest.raises(PassRefused) as refusal:
        refuse_untrue_pass(judgement)
    assert refusal.value.status == 409
    assert len(refusal.value.errors) == len(judgement.reasons)


def test_the_latest_scan_of_each_engine_counts() -> None:
    assert judged(scan("bandit", complete=False), scan("probe"), scan("bandit")).may_pass
    assert not judged(scan("bandit"), scan("probe"), scan("bandit", complete=False)).may_pass


def test_an_open_finding_made_by_hand_forbids_a_pass() -> None:
    judgement = judged(scan("bandit"), scan("probe"), by_hand=[finding(Severity.HIGH)])

    assert codes(judgement) == ["open_finding"]


def test_an_unanswered_control_forbids_a_pass() -> None:
    judgement = judged(scan("bandit"), scan("probe"), unanswered=["K02", "K01"])

    assert codes(judgement) == ["unanswered_control"]
    assert "K01, K02" in judgement.reasons[0].words


def with_acceptance(one: Finding, taken: Acceptance, today: date = TODAY) -> list[str]:
    return codes(judged(scan("bandit", one), scan("probe"), acceptances=[taken], today=today))


def test_a_high_finding_accepted_by_both_heads_may_pass() -> None:
    high = finding(Severity.HIGH)

    assert with_acceptance(high, acceptance(high)) == []


def test_a_critical_finding_cannot_be_accepted() -> None:
    critical = finding(Severity.CRITICAL)

    assert with_acceptance(critical, acceptance(critical)) == ["never_accepted"]


def test_an_acceptance_of_another_finding_does_not_count() -> None:
    other = finding(Severity.HIGH, rule="B608")

    assert with_acceptance(finding(Severity.HIGH), acceptance(other)) == ["open_finding"]


def test_g10_an_expired_acceptance_is_refused_also_when_it_says_longer_than_allowed() -> None:
    high = finding(Severity.HIGH)
    generous = acceptance(high, until_on=TODAY + timedelta(days=900))

    assert with_acceptance(high, acceptance(high), TODAY + timedelta(days=30)) == []
    assert with_acceptance(high, acceptance(high), TODAY + timedelta(days=31)) == ["acceptance_expired"]
    assert with_acceptance(high, acceptance(high), TODAY - timedelta(days=1)) == ["acceptance_expired"]
    assert with_acceptance(high, generous, TODAY + timedelta(days=91)) == ["acceptance_expired"]


@pytest.mark.parametrize(
    "people",
    [
        {"approved_by_head": "ani"},
        {"approved_by_security_head": "ani"},
        {"approved_by_security_head": "citra"},
    ],
)
def test_g11_an_acceptance_approved_by_its_asker_or_by_one_person_is_refused(people: dict[str, str]) -> None:
    high = finding(Severity.HIGH)

    assert with_acceptance(high, acceptance(high, **people)) == ["self_approval"]


def test_g12_every_change_of_the_rules_changes_the_digest() -> None:
    fields = POLICY.model_dump()
    bandit = {**POLICY.engines["bandit"], "skips": ["B602"]}
    variants = [
        POLICY,
        Policy(**fields | {"version": 2}),
        Policy(**fields | {"blocking": {"critical"}}),
        Policy(**fields | {"acceptance_days": 91}),
        Policy(**fields | {"engines": {**POLICY.engines, "bandit": bandit}}),
    ]

    assert len({policy.digest for policy in variants}) == len(variants)
    assert Policy(**fields).digest == POLICY.digest
    assert variants[-1].engine_digest("bandit") != POLICY.engine_digest("bandit")
    assert variants[-1].engine_digest("probe") == POLICY.engine_digest("probe")


def test_the_digest_of_the_policy_is_the_same_in_every_process() -> None:
    program = "from services.security.verdict import standing_policy; print(standing_policy().digest)"
    digests = {
        subprocess.check_output([sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, text=True).strip()
        for seed in ("1", "2", "3")
    }

    assert digests == {POLICY.digest}


SCANS = st.lists(
    st.builds(
        scan,
        st.sampled_from(["bandit", "probe"]),
        st.sampled_from([finding(severity) for severity in Severity]),
        complete=st.booleans(),
        digest=st.sampled_from([BUILD, "e" * 64]),
    ),
    max_size=5,
)


@given(SCANS)
def test_a_pass_always_rests_on_complete_scans_of_this_build_by_every_engine(scans: list[ScanResult]) -> None:
    if judged(*scans).may_pass:
        for engine in POLICY.engines:
            latest = [one for one in scans if one.engine == engine][-1]
            assert latest.complete
            assert latest.digest == BUILD
            assert not {found.severity for found in latest.findings} & {Severity.CRITICAL, Severity.HIGH}

"""The evaluation of an application in use and what follows from it (S10, S11)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from services.proposal import queries
from services.proposal.actions import paper
from services.proposal.actions.case import find, next_number, write
from services.proposal.actions.proposal import hand_in, open_case
from services.proposal.actions.survey import note_satisfaction
from services.proposal.authority import ACTS
from services.proposal.model import (
    DECISION_LABELS,
    EVALUATION_LABELS,
    KIND_LABELS,
    Case,
    Content,
    Evaluation,
    EvaluationFigure,
    EvaluationStatus,
    Kind,
    Meeting,
    Office,
    Proposal,
    RegisteredApplication,
    Survey,
    compared,
)
from shared import audit, letters
from shared.authority import authorize
from shared.database import utc_now
from shared.errors import FieldError, Incomplete, NotFound, OutOfTurn
from shared.identity import Person
from shared.mailbox import post
from shared.messages import ApplicationRetired, EvaluationOpened, FiguresGathered, PaperFact
from shared.sentence import Sentence
from shared.words import local_date, long_date

BEHIND = ("partly", "not_reached")
DATA_AFTER = (
    "Data dan cadangannya dipindahkan kepada unit pemilik atau disimpan menurut jadwal retensi arsip, lalu dimusnahkan "
    "dengan berita acara; alamat dan ruang hosting ditutup oleh Divisi Infrastruktur."
)
"""What a shut-down proposal begins with; whoever submits it makes it fit."""
MOST_DUE = 20
"""Evaluations that the timetable opens in one night: each asks four divisions."""
NO_EVALUATION = "Evaluasi tidak ditemukan. Buka kembali dari halaman perkaranya."


def open_evaluation(
    session: Session, by: Person, case_id: UUID, office: Office, *, from_on: date, until_on: date
) -> Evaluation:
    """Open the evaluation of a live application over a period and ask every division for its figures (S10)."""
    case = find(session, case_id)
    by = authorize(session, by, ACTS.open_evaluation, case)
    case.require("suspend")
    today = local_date(utc_now())
    if not from_on <= until_on <= today:
        raise Incomplete(
            "Periode evaluasi belum benar.",
            errors=[FieldError("/until_on", "Akhir periode tidak boleh sebelum awalnya dan tidak melewati hari ini.")],
        )
    running = session.scalar(
        select(Evaluation.number).where(Evaluation.case_id == case.id, Evaluation.status != EvaluationStatus.DECIDED)
    )
    if running:
        raise OutOfTurn(
            Sentence(
                "Evaluasi {running} atas aplikasi ini belum diputuskan. Selesaikan lebih dahulu.",
                running=running,
            )
        )
    return _open(session, by, case, office, from_on=from_on, until_on=until_on)


def _open(
    session: Session, by: Person | None, case: Case, office: Office, *, from_on: date, until_on: date
) -> Evaluation:
    today = local_date(utc_now())
    n = next_number(session, "evaluation", today.year)
    evaluation = Evaluation(
        case_id=case.id,
        case=case,
        number=letters.number("record", n, today, office=f"{office.code}-{office.programme_code}"),
        from_on=from_on,
        until_on=until_on,
        opened_by_id=by.id if by else None,
        answered=[],
        actuals=[],
        figures=[],
    )
    session.add(evaluation)
    session.flush()
    session.add(Survey(evaluation_id=evaluation.id, evaluation=evaluation))
    session.flush()
    write(
        session,
        by,
        case,
        ACTS.open_evaluation.name,
        step="S10",
        says="Evaluasi penggunaan dibuka",
        detail=f"{evaluation.number}, periode {long_date(from_on)} s.d. {long_date(until_on)}",
        path=path_of(evaluation),
    )
    _ask(session, by, evaluation)
    return evaluation


def ask_again(session: Session, by: Person, evaluation_id: UUID) -> Evaluation:
    """Ask the divisions once more for figures that have not arrived (S10); raise OutOfTurn when none lacks."""
    evaluation = find_evaluation(session, evaluation_id)
    by = authorize(session, by, ACTS.ask_again, evaluation)
    _must_be(evaluation, EvaluationStatus.GATHERING, EvaluationStatus.RETURNED)
    if not evaluation.missing:
        raise OutOfTurn("Angka setiap divisi sudah masuk.")
    _ask(session, by, evaluation)
    return evaluation


def _ask(session: Session, by: Person | None, evaluation: Evaluation) -> None:
    evaluation.asked_at = utc_now()
    post(
        session,
        EvaluationOpened(
            case_id=evaluation.case_id,
            case_number=evaluation.case.number,
            evaluation_id=evaluation.id,
            from_on=evaluation.from_on,
            until_on=evaluation.until_on,
            path=path_of(evaluation),
        ),
        by=by,
    )


def open_due(session: Session, office: Office, *, months: int) -> int:
    """Open the evaluation of applications in use for `months` without one, the longest first; return how many.

    At most `MOST_DUE` at once; the next day brings the next. An application whose evaluation runs is left alone.
    """
    today = local_date(utc_now())
    due = queries.without_evaluation(months=months).order_by(Case.live_at).limit(MOST_DUE)
    cases = session.scalars(due.with_for_update(skip_locked=True, of=Case)).all()
    for case in cases:
        last = session.scalar(
            select(Evaluation.until_on).where(Evaluation.case_id == case.id).order_by(Evaluation.until_on.desc())
        )
        begun = local_date(case.live_at) if case.live_at else today
        audit.record(session, None, ACTS.open_evaluation.name, case, because="jadwal tahunan")
        _open(session, None, case, office, from_on=min(last or begun, today), until_on=today)
    return len(cases)


def gather(session: Session, message: FiguresGathered) -> None:
    """Keep the figures that a division sent for an evaluation, each with its source (S10)."""
    evaluation = session.get(Evaluation, message.evaluation_id, with_for_update={"of": Evaluation})
    if evaluation is None:
        raise OutOfTurn("Evaluasi ini belum dikenal.")
    if evaluation.status not in (EvaluationStatus.GATHERING, EvaluationStatus.RETURNED):
        # The report is printed: its figures stay what they were, and what came late is told in the trace alone.
        return
    session.execute(
        delete(EvaluationFigure).where(
            EvaluationFigure.evaluation_id == evaluation.id, EvaluationFigure.division == message.division
        )
    )
    session.add_all(
        EvaluationFigure(
            evaluation_id=evaluation.id,
            division=message.division,
            key=figure.key,
            position=position,
            label=figure.label,
            value=figure.value,
            unit=figure.unit,
            source=figure.source,
        )
        for position, figure in enumerate(message.figures)
    )
    if message.division not in evaluation.answered:
        evaluation.answered = [*evaluation.answered, message.division]
    session.flush()
    session.expire(evaluation, ["figures"])


def report_evaluation(
    session: Session,
    by: Person,
    evaluation_id: UUID,
    office: Office,
    *,
    obstacles: Sequence[str],
    advice: Sequence[str],
    advises: str,
    actuals: Sequence[dict[str, str]] = (),
    without_missing: bool = False,
) -> Evaluation:
    """Write and print the report (S10); `advises` is continue, further_development or retire.

    `actuals` tell what became of the promised indicators: name, result, and the actual value with its source or the
    figure that answers. Raises Incomplete for one that was not promised or has no source.
    Raises OutOfTurn while figures are on their way, unless `without_missing`: the report then says whose lack.
    """
    evaluation = find_evaluation(session, evaluation_id)
    by = authorize(session, by, ACTS.report_evaluation, evaluation)
    _must_be(evaluation, EvaluationStatus.GATHERING, EvaluationStatus.RETURNED)
    if evaluation.missing and not without_missing:
        raise OutOfTurn(
            Sentence(
                "Angka belum lengkap. Belum masuk dari: {divisions}. Tunggu sebentar, atau pilih menyusun laporan "
                "tanpa angka itu.",
                divisions=[paper.DIVISIONS[division] for division in evaluation.missing],
            ),
            code="figures_missing",
        )
    content = session.get(Proposal, evaluation.case_id)
    evaluation.actuals = _judged(evaluation, content.indicators if content else [], actuals)
    evaluation.obstacles, evaluation.advice, evaluation.advises = list(obstacles), list(advice), advises
    note_satisfaction(session, evaluation, office.grades)
    evaluation.status = EvaluationStatus.REPORTED
    evaluation.report_version += 1
    evaluation.reported_by_id, evaluation.reported_by_name = by.id, by.name
    printed = paper.evaluation_report(session, office, evaluation, content, by)
    evaluation.report_digest = printed.digest
    write(
        session,
        by,
        evaluation.case,
        ACTS.report_evaluation.name,
        step="S10",
        says="Laporan evaluasi disusun",
        detail=f"{evaluation.number}; usul: {DECISION_LABELS[advises].lower()}",
        papers=[printed],
        path=path_of(evaluation),
    )
    return evaluation


def _judged(
    evaluation: Evaluation, promised: Sequence[dict[str, str]], given: Sequence[dict[str, str]]
) -> list[dict[str, str]]:
    known = {one["name"] for one in promised}
    figures = {name.casefold(): figure for figure in evaluation.figures for name in (figure.key, figure.label)}
    judged, errors = [], []
    for n, row in enumerate(given):
        figure = figures.get(row.get("figure", "").casefold())
        actual, source = row.get("actual", ""), row.get("source", "")
        if figure:
            actual, source = actual or f"{paper.quantity(figure.value)} {figure.unit}".strip(), source or figure.source
        result = row.get("result", "")
        if not (actual or result or row.get("figure")):
            continue
        wrong = {
            "name": row["name"] not in known and "Indikator ini tidak dijanjikan dalam usulan.",
            "figure": row.get("figure") and not figure and "Angka ini tidak ada. Salin namanya dari bagian Angka.",
            "actual": not actual and not row.get("figure") and "Tuliskan nilainya pada akhir periode.",
            "source": actual and not source and "Tuliskan sumber atau buktinya.",
            "result": not result and "Pilih hasilnya.",
        }
        errors += [FieldError(f"/actuals/{n}/{name}", words) for name, words in wrong.items() if words]
        judged.append({"name": row["name"], "actual": actual, "source": source, "result": result})
    if errors:
        raise Incomplete("Perbandingan dengan indikator yang dijanjikan belum lengkap.", errors=errors)
    return judged


def present(
    session: Session, doer: Person, evaluation_id: UUID, meeting: Meeting, minutes: PaperFact, *, note: str
) -> None:
    """Note that closed weekly minutes heard the report (S10); raise OutOfTurn for one that is not written."""
    evaluation = find_evaluation(session, evaluation_id)
    _must_be(evaluation, EvaluationStatus.REPORTED)
    evaluation.status = EvaluationStatus.PRESENTED
    evaluation.meeting_id, evaluation.meeting_number, evaluation.presented_on = meeting.id, meeting.number, meeting.on
    write(
        session,
        doer,
        evaluation.case,
        ACTS.close_minutes.name,
        step="S10",
        says=f"Laporan evaluasi dipaparkan dalam {meeting.label} {meeting.number}",
        note=note,
        detail=evaluation.number,
        papers=[minutes],
        path=f"/rapat/{meeting.id}",
    )


def decide_evaluation(
    session: Session, by: Person, evaluation_id: UUID, *, decision: str, words: str = ""
) -> Evaluation:
    """Record the Head's decision: continue, further_development, retire or return (S10).

    Returning and retiring need a reason; retiring ends the case and keeps the application in the register.
    Raises OutOfTurn before the report was presented in a weekly meeting.
    """
    evaluation = find_evaluation(session, evaluation_id)
    by = authorize(session, by, ACTS.decide_evaluation, evaluation)
    _must_be(evaluation, EvaluationStatus.PRESENTED)
    if decision in ("return", "retire") and not words.strip():
        raise Incomplete(
            "Keputusan ini memerlukan alasan tertulis.",
            errors=[FieldError("/words", "Tuliskan alasannya.")],
            code="reason_missing",
        )
    case = evaluation.case
    made = ""
    if decision == "retire":
        made = case.move("retire", by_id=by.id, by_name=by.name, reason=words).name
        _retire(session, by, evaluation, words)
    evaluation.decision_note, evaluation.decided_by_name = words, by.name
    if decision == "return":
        evaluation.status = EvaluationStatus.RETURNED
        evaluation.meeting_id, evaluation.meeting_number, evaluation.presented_on = None, "", None
    else:
        evaluation.status, evaluation.decision = EvaluationStatus.DECIDED, decision
        evaluation.decided_at = utc_now()
    write(
        session,
        by,
        case,
        ACTS.decide_evaluation.name,
        step="S10",
        says=f"Keputusan evaluasi: {DECISION_LABELS[decision].lower()}",
        note=words,
        detail=evaluation.number,
        move=made,
        path=path_of(evaluation),
    )
    return evaluation


def follow_up(
    session: Session, by: Person, evaluation_id: UUID, office: Office, *, content: Content | None = None
) -> Case:
    """Open what the Head decided for an evaluated application as a new case and submit it in one act (S11).

    That is its further development, or the end of its data and place when it is retired.

    What `content` leaves to it is taken from the application and its report. The new case names its parent; the
    Head accepts it. Raises OutOfTurn unless the Head decided so, and the second time.
    """
    evaluation = find_evaluation(session, evaluation_id)
    by = authorize(session, by, ACTS.follow_up, evaluation)
    if evaluation.follow_up_case_id:
        raise OutOfTurn("Tindak lanjut evaluasi ini sudah diajukan. Lihat perkaranya di halaman evaluasi.")
    if evaluation.decision not in queries.FOLLOWED:
        raise OutOfTurn(
            "Tindak lanjut diajukan setelah Kepala memutuskan “dikembangkan lebih lanjut” atau “dinonaktifkan” atas "
            "laporan evaluasi."
        )
    parent = evaluation.case
    case = open_case(
        session,
        content or prefilled(session, evaluation),
        unit=parent.unit,
        proposer_id=by.id,
        proposer_name=by.name,
        proposer_unit=by.unit,
    )
    case.parent_case_id, case.evaluation_id, case.is_from_app_head = parent.id, evaluation.id, True
    evaluation.follow_up_case_id = case.id
    # Both acts of the one act: proposing and submitting are checked by the same rules as ever.
    by = authorize(session, by, ACTS.submit, case)
    hand_in(session, by, case, ACTS.submit, office, detail=f"Tindak lanjut {evaluation.number} atas {parent.number}")
    write(
        session,
        by,
        parent,
        ACTS.follow_up.name,
        step="S11",
        says=f"{KIND_LABELS[Kind(case.kind)]} diajukan sebagai perkara {case.number}",
        detail=evaluation.number,
        path=f"/perkara/{case.number}",
    )
    return case


def prefilled(session: Session, evaluation: Evaluation) -> Content:
    """Return the follow-up proposal as the evaluation suggests it: obstacles as background, advice as purpose (X11)."""
    case = evaluation.case
    earlier = session.get(Proposal, case.id)
    obstacles = " ".join(f"{n}. {line}" for n, line in enumerate(evaluation.obstacles, 1))
    ends = evaluation.decision == "retire"
    what = "Penghentian" if ends else "Pengembangan"
    advice = "; ".join(evaluation.advice) or evaluation.decision_note or f"{what.lower()} {case.name}"
    promised = earlier.indicators if earlier else []
    compares = compared(promised, evaluation.actuals)
    open_ones = {one.name for one in compares if one.result != "reached"}
    behind = "; ".join(f"{one.name} ({one.label.lower()}: {one.actual})" for one in compares if one.result in BEHIND)
    period = f"{long_date(evaluation.from_on)} s.d. {long_date(evaluation.until_on)}"
    return Content.model_validate(
        {
            "name": f"{what} {case.name}"[:200],
            "code": _free_code(session, case.code),
            "kind": Kind.SHUT_DOWN if ends else Kind.FURTHER_DEVELOPMENT,
            "earlier_application": f"{case.number} {case.name}"[:200],
            "data_after": DATA_AFTER if ends else "",
            "purpose": f"Menindaklanjuti evaluasi {evaluation.number}: {advice}.",
            "letter_number": evaluation.number,
            "letter_on": local_date(utc_now()),
            "background": f"Hasil evaluasi periode {period}. Kendala: {obstacles or 'tidak dicatat'}"
            + (f" Indikator yang belum tercapai: {behind}." if behind else ""),
            "benefit": earlier.benefit if earlier and earlier.benefit else f"Memperbaiki layanan {case.name}.",
            "users": earlier.users if earlier and earlier.users else f"Pengguna {case.name}.",
            "expected_users": case.expected_users,
            "personal_data": case.personal_data,
            "criticality": case.criticality,
            "indicators": [
                one for one in (earlier.indicators if earlier else []) if one["name"] in open_ones and not ends
            ],
            **{key: value for key, value in case.tech.items() if value},
        }
    )


def _free_code(session: Session, code: str) -> str:
    stem = code.rstrip("0123456789").rstrip("-") if code.rsplit("-", 1)[-1].isdigit() else code
    stem = stem[:27].rstrip("-")
    taken = set(session.scalars(select(Case.code).where(Case.code.startswith(stem, autoescape=True))))
    return next(name for n in range(2, 1000) if (name := f"{stem}-{n}") not in taken)


def _retire(session: Session, by: Person, evaluation: Evaluation, words: str) -> None:
    """Mark the application in the register and tell every division, which closes what is its own."""
    case = evaluation.case
    entry = session.scalar(select(RegisteredApplication).where(RegisteredApplication.case_id == case.id))
    if entry:
        entry.state, entry.ended_at = "retired", utc_now()
    post(
        session,
        ApplicationRetired(case_id=case.id, case_number=case.number, note=words, path=path_of(evaluation)),
        by=by,
    )


def path_of(evaluation: Evaluation) -> str:
    """Return the page of an evaluation."""
    return f"/evaluasi/{evaluation.id}"


def find_evaluation(session: Session, evaluation_id: UUID) -> Evaluation:
    """Return an evaluation, its case locked before it; raise NotFound.

    Always meeting, case, evaluation, audit chain: two acts that take their locks in other orders would wait for
    each other.
    """
    case_id = session.scalar(select(Evaluation.case_id).where(Evaluation.id == evaluation_id))
    if case_id is None:
        raise NotFound(NO_EVALUATION)
    find(session, case_id)
    evaluation = session.get(Evaluation, evaluation_id, with_for_update={"of": Evaluation}, populate_existing=True)
    if evaluation is None:
        raise NotFound(NO_EVALUATION)
    return evaluation


def _must_be(evaluation: Evaluation, *statuses: EvaluationStatus) -> None:
    if evaluation.status not in statuses:
        raise OutOfTurn(
            Sentence(
                "Evaluasi {number} kini “{status}”; tindakan ini hanya dapat dilakukan pada: {wanted}.",
                number=evaluation.number,
                status=EVALUATION_LABELS[EvaluationStatus(evaluation.status)],
                wanted=[EVALUATION_LABELS[status] for status in statuses],
            )
        )

"""The SOP on paper, in the form of Permenpan-RB 35/2012: the sheet of identity, the table of activities, the flowchart.

It has a template of its own: its table draws signs across cells, which no other paper does.
"""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from services.proposal.model import Office, Wording
from services.proposal.model.sop import number_of
from services.proposal.queries.sop import Dates, Measured, chart_of, measured_words, printed_rows
from shared import issued
from shared.flowchart import END, NO, YES
from shared.identity import Person
from shared.institution import institution
from shared.papers import Signature, cleaned, qr_of, render_as
from shared.printing import signed, signer_of
from shared.procedure import GOAL, span
from shared.words import long_date, long_moment

UNSIGNED = "(belum disahkan)"


def print_published(
    session: Session,
    office: Office,
    wording: Wording,
    found: Measured,
    *,
    signer: Person,
    version: int,
    dates: Dates,
    on: date,
) -> str:
    """Print a version with the Head's approval and its code; return the digest. Its forerunner is withdrawn."""
    signature = signed(signer)
    shown = _shown(wording, found, version=version, on=on)
    shown |= {
        **_dated(dates, unknown="–"),
        "approved": _approved(signature),
        "is_draft": False,
    }
    who = signer_of(signature)
    code = issued.issue(
        session,
        "proposal",
        kind="sop",
        title=f"SOP {wording.identity.title}, versi {version}",
        number=wording.identity.number,
        on=on,
        signers=[who] if who else [],
        series="sop",
    )
    url = f"{office.public_url.rstrip('/')}/periksa/{code}"
    shown |= {"code": code, "check_url": url, "qr": qr_of(url), "keywords": ["sop", wording.identity.number, code]}
    digest = office.store.put(render_as("sop", cleaned(shown), on=on))
    issued.seal(session, code, digest)
    return digest


def draft(wording: Wording, found: Measured, *, version: int, dates: Dates, on: date) -> bytes:
    """Return a version as it would be printed now, marked as a draft on every sheet; it is not kept."""
    shown = _shown(wording, found, version=version, on=on)
    shown |= {
        **_dated(dates, unknown=UNSIGNED),
        "approved": {"post": "Kepala PUSTIPD", "prefix": "", "name": "", "signed": ""},
        "is_draft": True,
        "code": "",
        "check_url": "",
        "qr": "",
        "keywords": ["sop"],
    }
    return render_as("sop", cleaned(shown), on=on)


def _dated(dates: Dates, *, unknown: str) -> dict[str, str]:
    named = {"created": dates.created_on, "revised": dates.revised_on, "effective": dates.effective_on}
    return {name: long_date(day) if day else unknown for name, day in named.items()}


def _approved(signature: Signature) -> dict[str, str]:
    return {
        "post": signature.post,
        "prefix": signature.prefix,
        "name": signature.name,
        "signed": long_moment(signature.signed_at) if signature.signed_at else "",
    }


def _shown(wording: Wording, found: Measured, *, version: int, on: date) -> dict[str, Any]:
    """Give the version as the template reads it: words made, the flowchart laid out."""
    identity, drawn = wording.identity, chart_of(wording)
    head = institution()
    return {
        "institution": head.name,
        "ministry": head.ministry,
        "centre": head.centre,
        "contact": [part for part in (head.address, head.email, head.website) if part],
        "crest_svg": head.letterhead.crest_svg,
        "on": {"year": on.year, "month": on.month, "day": on.day},
        "version": version,
        **identity.model_dump(mode="json"),
        "number": identity.number or "(belum ada)",
        "lanes": list(drawn.lanes),
        "yes": YES,
        "no": NO,
        "end": END,
        "total": f"{span(*wording.as_procedure(version).total_days)} hari kerja",
        "total_measured": measured_words(found.total),
        "goal": number_of(GOAL),
        "period": f"{long_date(found.since)} s.d. {long_date(found.until)}",
        "rows": [
            {
                "number": row.number,
                "activity": row.activity,
                "says": row.says,
                "needs": list(row.needs),
                "time": row.time,
                "time_note": row.time_note,
                "output": row.output,
                "papers": list(row.papers),
                "measured": row.measured,
                "remarks": list(row.remarks),
                "entry": lane.entry,
                "exit": lane.exit,
                "signs": [
                    {
                        "lane": one.lane,
                        "turn": one.turn,
                        "kind": one.kind,
                        "side": one.side,
                        "target": (one.answers[0].target or END) if one.answers else "",
                    }
                    for one in lane.signs
                ],
            }
            for row, lane in zip(printed_rows(wording, found), drawn.rows, strict=True)
        ],
    }

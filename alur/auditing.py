"""Checks every service's audit chain and the lines that the trace of the cases points to."""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import text

from shared import audit
from shared.database import Database
from shared.keys import SERVICES


class ChainReport(BaseModel):
    """One service's chain: how many lines it has, and where it does not hold."""

    service: str
    lines: int
    broken: list[str]


class Report(BaseModel):
    """What `alur audit verify` found."""

    chains: list[ChainReport]
    trace_entries: int
    """Entries of all traces that name a line of a chain."""
    trace_broken: list[str]

    @property
    def is_whole(self) -> bool:
        """Tell whether every chain and every trace entry holds."""
        return not self.trace_broken and not any(chain.broken for chain in self.chains)

    def lines(self) -> list[str]:
        """Return the report in words, in Indonesian."""
        told = []
        for chain in self.chains:
            verdict = "utuh" if not chain.broken else f"RUSAK di {len(chain.broken)} tempat"
            told.append(f"{chain.service}: {chain.lines} baris, {verdict}")
            told += [f"  {words}" for words in chain.broken[:20]]
        verdict = "cocok" if not self.trace_broken else f"TIDAK COCOK di {len(self.trace_broken)} tempat"
        told.append(f"jejak perkara: {self.trace_entries} entri menunjuk rantai audit, {verdict}")
        told += [f"  {words}" for words in self.trace_broken[:20]]
        return told


def verify_all(database: Callable[[str], Database], *, anchors: Path) -> Report:
    """Walk the chain of every service, compare it with the heads noted outside, and with the traces."""
    chains = []
    for service in SERVICES:
        with database(service).session() as session:
            lines, broken = audit.verify(session, anchors=audit.read_anchors(anchors / f"{service}.jsonl"))
        chains.append(ChainReport(service=service, lines=lines, broken=[f"baris {b.seq}: {b.reason}" for b in broken]))
    entries, trace_broken = _verify_traces(database)
    return Report(chains=chains, trace_entries=entries, trace_broken=trace_broken)


def _verify_traces(database: Callable[[str], Database]) -> tuple[int, list[str]]:
    wanted: dict[str, list[tuple[int, str, str]]] = {service: [] for service in SERVICES}
    with database("proposal").session() as session:
        rows = session.execute(
            text(
                "SELECT t.audit_service, t.audit_seq, t.audit_hash, c.number, t.step FROM trace_entry t "
                "JOIN application_case c ON c.id = t.case_id WHERE t.audit_seq IS NOT NULL"
            )
        )
        for service, seq, digest, number, step in rows:
            wanted[service].append((seq, digest, f"{number} {step}"))
    broken = []
    for service, places in wanted.items():
        with database(service).session() as session:
            for seq, digest, place in places:
                if not audit.holds(session, seq, digest):
                    broken.append(f"{place}: baris {seq} rantai {service} tidak cocok dengan jejak")
    return sum(len(places) for places in wanted.values()), broken

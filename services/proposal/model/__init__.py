"""The nouns of the application division: case, trace, proposal, work programme, meeting, evaluation."""

from services.proposal.model.case import (
    KIND_LABELS,
    Case,
    CaseStatus,
    Counter,
    Kind,
    RegisteredApplication,
)
from services.proposal.model.content import CRITICALITY_LABELS, DATA_LABELS, REQUIRED, Content, Indicator
from services.proposal.model.evaluation import (
    ASKED,
    DECISION_LABELS,
    EVALUATION_LABELS,
    Evaluation,
    EvaluationFigure,
    EvaluationStatus,
)
from services.proposal.model.meeting import (
    MEETING_LABELS,
    MINUTES,
    OUTCOME_LABELS,
    Meeting,
    MeetingItem,
    MeetingKind,
    Outcome,
)
from services.proposal.model.office import Office
from services.proposal.model.programme import SECTIONS, Terms, TermsOfReference, WorkProgrammeEntry
from services.proposal.model.proposal import Disposition, NeedsAnalysis, Proposal, ProposalVersion
from services.proposal.model.table import Table
from services.proposal.model.trace import Paper, TraceEntry

__all__ = [
    "ASKED",
    "CRITICALITY_LABELS",
    "DATA_LABELS",
    "DECISION_LABELS",
    "EVALUATION_LABELS",
    "KIND_LABELS",
    "MEETING_LABELS",
    "MINUTES",
    "OUTCOME_LABELS",
    "REQUIRED",
    "SECTIONS",
    "Case",
    "CaseStatus",
    "Content",
    "Counter",
    "Disposition",
    "Evaluation",
    "EvaluationFigure",
    "EvaluationStatus",
    "Indicator",
    "Kind",
    "Meeting",
    "MeetingItem",
    "MeetingKind",
    "NeedsAnalysis",
    "Office",
    "Outcome",
    "Paper",
    "Proposal",
    "ProposalVersion",
    "RegisteredApplication",
    "Table",
    "Terms",
    "TermsOfReference",
    "TraceEntry",
    "WorkProgrammeEntry",
]

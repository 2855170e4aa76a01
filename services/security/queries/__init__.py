"""What people ask of the security division; nothing here changes anything."""

from services.security.queries.case import figures
from services.security.queries.finding import BY_HAND, finding, findings, open_by_severity
from services.security.queries.permit import permit, signed_permits
from services.security.queries.scan import scan
from services.security.queries.search import found
from services.security.queries.test import label, offered, test, tests
from services.security.queries.verdict import File, file
from services.security.queries.waiting import waiting_on

__all__ = [
    "BY_HAND",
    "File",
    "figures",
    "file",
    "finding",
    "findings",
    "found",
    "label",
    "offered",
    "open_by_severity",
    "permit",
    "scan",
    "signed_permits",
    "test",
    "tests",
    "waiting_on",
]

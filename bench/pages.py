"""What a page costs beside its JSON twin (performance.md, 3): both through the gateway, signed in."""

import re

from bench.ground import Ground, Rounds
from bench.report import Report

PART = "pages"
MOST = 1.5
TWINS = {
    "/perkara": "/api/cases",
    "/rapat": "/api/meetings",
    "/aplikasi-terdaftar": "/api/applications",
    "/rab": "/api/budget-plans",
    "/kontrak": "/api/contracts",
    "/tagihan": "/api/claims",
    "/instalasi": "/api/installations",
    "/uji-keamanan": "/api/security-tests",
    "/tiket": "/api/tickets",
}
"""A list and its twin; a thing of the list stands at the same place beneath each."""
ONE_TOO = ("/perkara", "/rapat", "/rab", "/kontrak", "/tagihan", "/instalasi", "/uji-keamanan", "/tiket")


def measure(ground: Ground, report: Report, *, rounds: int, count: int) -> None:
    """Ask each page and its twin in turn, and tell both."""
    told: list[list[str]] = []
    ratios: dict[str, float] = {}
    for page, twin in pairs(ground):
        found = ground.measure(
            [ground.get("page", page), ground.get("json", twin)], rounds=rounds, count=count, connections=1
        )
        ratios[page] = ratio(found)
        a, b = found["page"], found["json"]
        told.append(
            [_kind(page), f"{a.p50:.1f}", f"{b.p50:.1f}", f"{a.p50 / b.p50:.2f}", f"{ratios[page]:.2f}", f"{a.size:,}"]
        )
    report.table(
        "Pages beside their JSON twins, one connection",
        ["page", "ms", "JSON ms", "ratio", "ratio by CPU", "bytes"],
        told,
    )
    worst = max(ratios, key=lambda page: ratios[page])
    dear = [page for page in ratios if ratios[page] > MOST]
    report.goal(
        PART,
        f"a page costs at most {MOST} x its JSON twin (CPU)",
        f"at most {ratios[worst]:.2f} x ({_kind(worst)}), {len(dear)} of {len(ratios)} above",
        holds=not dear,
    )


def ratio(found: dict[str, Rounds]) -> float:
    """Return what the page costs of what its twin costs, in CPU."""
    return found["page"].cpu_ms / found["json"].cpu_ms


def pairs(ground: Ground) -> list[tuple[str, str]]:
    """Return each list and one thing of each list that has things, as page and twin."""
    found = []
    for page, twin in TWINS.items():
        found.append((page, twin))
        if page in ONE_TOO:
            shown = re.search(rf'href="{page}/([\w-]{{5,}})"', ground.read(page).text)
            if shown:
                found.append((f"{page}/{shown[1]}", f"{twin}/{shown[1]}"))
    return found


def _kind(page: str) -> str:
    parts = page.split("/")
    return "/".join(parts[:2]) + ("/{id}" if len(parts) > 2 else "")

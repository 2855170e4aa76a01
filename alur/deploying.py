"""The commands of the infrastructure and security staff: the next move of one application, told while it is done.

Exit codes: 0 done or nothing to do, 1 failed, 2 wrong usage, 3 not signed in or not allowed.
"""

from collections.abc import Iterator
from typing import Any

from alur.errand import PATIENCE, PAUSE, Errand
from alur.following import Teller, once
from shared.errors import NotFound, OutOfTurn

OPEN = ("planning", "planned", "approved")
TESTED = {
    "reviewing": "hasilnya sedang diperiksa penguji",
    "submitted": "hasilnya menunggu putusan Kepala Divisi Monitoring dan Security",
    "passed": "paketnya sudah lulus",
    "failed": "paketnya tidak lulus dan menunggu perbaikan",
}
"""What stands in the way of another scan, by the status of the test."""
STILL = "{what} tetap berjalan di server; Anda hanya berhenti mengikutinya. Ikuti lagi: {again}"


def deploy(errand: Errand, app: str, teller: Teller, *, follow: bool, yes: bool) -> int:
    """Do the next move of an application on its way to users; return the exit code. Raise Refused."""
    hosting = _newest(errand.every("/api/hostings", limit=200), app)
    if hosting is None:
        raise NotFound(
            f"Aplikasi “{app}” belum mempunyai hosting, atau bukan untuk Anda. Tulis kode atau nomor perkara."
        )
    if hosting["status"] != "ready":
        is_refused = hosting["status"] == "refused"
        words = "ditolak; mintalah yang baru." if is_refused else "belum disediakan Kepala Divisi Infrastruktur."
        raise OutOfTurn(f"Hosting {app} {words}")
    build = _newest((row for row in errand.every("/api/builds", limit=200) if not row["defect_at"]), app)
    if build is None:
        raise OutOfTurn(f"Belum ada paket untuk “{app}”. Penyedia atau staf Aplikasi mengunggahnya di halaman Paket.")
    rows = (row for row in errand.every("/api/installations", limit=200) if row["hosting_id"] == hosting["id"])
    last = next(iter(rows), None)
    if last and last["status"] in OPEN:
        return _go_on(errand, app, last["id"], teller, follow=follow, yes=yes)
    if last is None or last["build_id"] != build["id"] or last["status"] == "failed":
        return _plan(errand, app, hosting, build, teller, yes=yes)
    return _open(errand, app, build, teller, yes=yes)


def _newest(rows: Iterator[Any], app: str) -> Any:
    """Return the newest row about an application (by code or case number); None when there is none."""
    wanted = app.strip().lower()
    return next(
        (r for r in rows if wanted in (r["application"]["code"].lower(), r["application"]["case_number"].lower())), None
    )


def _plan(errand: Errand, app: str, hosting: Any, build: Any, teller: Teller, *, yes: bool) -> int:
    teller.tell(
        "move",
        f"Rencana instalasi {app} disusun: paket {build['digest'][:12]} ({build['files']} berkas) ke "
        f"{hosting['closed_host']}. Server hanya diperiksa, belum diubah.",
        digest=build["digest"],
        host=hosting["closed_host"],
    )
    if not teller.confirm("Susun rencananya?", yes=yes):
        return 0
    made = errand.post("/api/installations", {"hosting_id": hosting["id"], "build_id": build["id"]})
    with teller.leaving(_still("Penyusunan rencana", app)):
        teller.follow(errand.follow(_log(made["id"])))
        found = errand.get(f"/api/installations/{made['id']}")
    if found["status"] != "planned":
        return _failed(found, teller)
    _tell_plan(found, teller)
    teller.tell(
        "end",
        "Rencana siap. Kepala Divisi Infrastruktur menyetujuinya dengan `alur deploy` atau di halaman Instalasi.",
        status=found["status"],
        installation=found["id"],
    )
    return 0


def _go_on(errand: Errand, app: str, installation_id: str, teller: Teller, *, follow: bool, yes: bool) -> int:
    place = f"/api/installations/{installation_id}"
    found = once(lambda: errand.get(place), lambda one: one["status"] != "planning", within=PATIENCE, pause=PAUSE)
    if found["status"] == "planned":
        _tell_plan(found, teller)
        if not teller.confirm("Setujui dan pasang di alamat tertutup?", yes=yes):
            return 0
        found = errand.post(f"{place}/approval", {"plan_digest": found["plan_digest"]})
        teller.tell("approved", "Rencana disetujui; instalasi dimulai.", installation=installation_id)
    if not follow:
        teller.tell("left", _still("Instalasi", app), status=found["status"], installation=installation_id)
        return 0
    steps = len((found["plan"] or {}).get("steps", ()))
    with teller.leaving(_still("Instalasi", app)):
        teller.follow(errand.follow(_log(installation_id)), steps=steps)
        found = errand.get(place)
    if found["status"] != "installed":
        return _failed(found, teller)
    teller.tell(
        "end",
        "Terpasang di alamat tertutup; uji keamanan menyusul.",
        status=found["status"],
        installation=found["id"],
        release=found["release_id"],
    )
    return 0


def _open(errand: Errand, app: str, build: Any, teller: Teller, *, yes: bool) -> int:
    release = _newest((row for row in errand.every("/api/releases", limit=200) if row["build_id"] == build["id"]), app)
    if release is None or release["status"] != "cleared" or not release["authorised_at"]:
        status = release["status"] if release else "installed"
        words = {
            "installed": "Sudah terpasang; menunggu uji keamanan.",
            "remediation": "Tidak lulus uji keamanan; menunggu paket yang diperbaiki.",
            "cleared": "Lulus uji keamanan; menunggu izin pembukaan dari Kepala.",
            "live": f"Sudah dibuka untuk pengguna di {release['address'] if release else ''}.",
        }
        teller.tell("nothing", words.get(status, f"Tidak ada yang dapat dilakukan ({status})."), status=status)
        return 0
    teller.tell("move", f"{app} dibuka untuk pengguna di {release['public_host']}; izin diperiksa di server.")
    if not teller.confirm("Buka sekarang?", yes=yes):
        return 0
    place = f"/api/releases/{release['id']}"
    errand.post(f"{place}/go-live")
    with teller.leaving(_still("Pembukaan", app)):
        found = once(
            lambda: errand.get(place),
            lambda one: one["status"] == "live" or (one["operation"] or {}).get("status") == "failed",
            within=PATIENCE,
            pause=PAUSE,
        )
    if found["status"] != "live":
        return _failed({"reason": (found["operation"] or {}).get("reason", ""), "status": found["status"]}, teller)
    teller.tell("end", f"Dibuka untuk pengguna: {found['address']}", status="live", release=found["id"])
    return 0


def scan(errand: Errand, app: str, teller: Teller, *, follow: bool, yes: bool) -> int:
    """Start the security test that waits for an application, or follow the one that runs; return the exit code."""
    number = _case_number(errand, app)
    tests = errand.get("/api/security-tests", case_number=number)
    test = next((row for row in tests if row["status"] != "superseded"), None)
    if test is None:
        raise NotFound(f"Belum ada uji keamanan untuk “{app}”; ia dibuka sendiri setelah instalasi selesai.")
    place = f"/api/security-tests/{test['id']}"
    if test["status"] == "waiting":
        teller.tell("move", f"Uji keamanan {number} putaran {test['round']} atas paket {test['digest'][:12]} dimulai.")
        if not teller.confirm("Mulai pemindaian?", yes=yes):
            return 0
        errand.post(f"{place}/start")
    elif test["status"] != "scanning":
        words = f"Tidak ada pemindaian yang menunggu: {TESTED.get(test['status'], test['status'])}."
        teller.tell("nothing", words, status=test["status"])
        return 0
    again = _still("Pemindaian", app, command="scan")
    if not follow:
        teller.tell("left", again, test=test["id"])
        return 0
    with teller.leaving(again):
        for one in errand.get(place)["scans"]:
            teller.tell("scan", f"Pemindai {one['engine']}:", engine=one["engine"])
            teller.follow(errand.follow(f"/api/scans/{one['id']}/log"))
        found = once(lambda: errand.get(place), lambda one: one["status"] != "scanning", within=PATIENCE, pause=PAUSE)
    incomplete = [one["engine"] for one in found["scans"] if not one["is_complete"]]
    opened = sum(one["status"] == "open" for one in found["findings"])
    words = f"Pemindaian selesai: {opened} temuan terbuka."
    if incomplete:
        words = f"Pemindaian tidak lengkap: {', '.join(incomplete)}. Lihat halaman uji keamanan, lalu pindai ulang."
    teller.tell("end", words, status=found["status"], test=found["id"], findings=opened, incomplete=incomplete)
    return 1 if incomplete else 0


def waiting(errand: Errand) -> list[dict[str, Any]]:
    """Return what waits for the person, what waits longest first."""
    rows: list[dict[str, Any]] = errand.get("/api/waiting")
    return rows


def case(errand: Errand, number: str) -> dict[str, Any]:
    """Return a case with its trace; raise NotFound."""
    found: dict[str, Any] = errand.get(f"/api/cases/{number}")
    return found


def _case_number(errand: Errand, app: str) -> str:
    build = _newest(errand.every("/api/builds", limit=200), app)
    if build is None:
        raise NotFound(f"Aplikasi “{app}” belum mempunyai paket, atau bukan untuk Anda. Tulis kode atau nomor perkara.")
    number: str = build["application"]["case_number"]
    return number


def _log(installation_id: str) -> str:
    return f"/api/installations/{installation_id}/log"


def _still(what: str, app: str, *, command: str = "deploy") -> str:
    return STILL.format(what=what, again=f"alur {command} {app} --follow")


def _tell_plan(found: Any, teller: Teller) -> None:
    plan = found["plan"] or {}
    steps = [step["effect"] for step in plan.get("steps", ())]
    obstacles = list(plan.get("obstacles", ()))
    words = [f"Rencana {found['plan_digest'][:12]}, {len(steps)} langkah:"]
    words += [f"  {n}. {effect}" for n, effect in enumerate(steps, 1)] or ["  Tidak ada yang perlu diubah."]
    words += [f"  Halangan: {one}" for one in obstacles]
    teller.tell("plan", "\n".join(words), digest=found["plan_digest"], steps=steps, obstacles=obstacles)


def _failed(found: Any, teller: Teller) -> int:
    reason = found["reason"] or "sebabnya ada di catatan pekerjaan"
    teller.tell("end", f"Gagal: {reason}", status=found["status"])
    return 1

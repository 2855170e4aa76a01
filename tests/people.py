"""The people of the tests, by name and place; Zulkifli must never see a case that is not his."""

from datetime import UTC, datetime
from uuid import NAMESPACE_DNS, uuid5

from shared.identity import Person, Role

ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)
"""Until when the proof of these people is fresh; who has none is made by `model_copy`."""


def _person(username: str, name: str, role: Role, *, unit: str | None = None, vendor: str | None = None) -> Person:
    return Person(
        id=uuid5(NAMESPACE_DNS, username),
        username=username,
        name=name,
        roles=frozenset({role}),
        title=name,
        unit=unit,
        vendor=vendor,
        proved_until=ALWAYS,
    )


ANI = _person("ani", "Ani (Pengusul BPEG)", Role.PROPOSER, unit="BPEG")
BUDI = _person("budi", "Budi (Koordinator Divisi Aplikasi)", Role.APP_HEAD, unit="PUSTIPD")
BAYU = _person("bayu", "Bayu (Staf Pengembangan Aplikasi)", Role.APP_STAFF, unit="PUSTIPD")
CITRA = _person("citra", "Citra (Kepala PUSTIPD)", Role.HEAD, unit="PUSTIPD")
DEWI = _person("dewi", "Dewi (Kepala Divisi Layanan)", Role.SERVICE_HEAD, unit="PUSTIPD")
DINA = _person("dina", "Dina (Staf Layanan)", Role.SERVICE_STAFF, unit="PUSTIPD")
EKO = _person("eko", "Eko (Kepala Divisi Infrastruktur)", Role.INFRA_HEAD, unit="PUSTIPD")
EDI = _person("edi", "Edi (Staf Infrastruktur)", Role.INFRA_STAFF, unit="PUSTIPD")
FITRI = _person("fitri", "Fitri (Kepala Divisi Keamanan)", Role.SECURITY_HEAD, unit="PUSTIPD")
FAJAR = _person("fajar", "Fajar (Staf Keamanan)", Role.SECURITY_STAFF, unit="PUSTIPD")
GITA = _person("gita", "Gita (Bagian Perencanaan)", Role.PLANNING, unit="BREN")
HADI = _person("hadi", "Hadi (PPK)", Role.PPK, unit="BREN")
INDAH = _person("indah", "Indah (Bendahara)", Role.TREASURER, unit="BREN")
JOKO = _person("joko", "Joko (CV Contoh Karya Digital)", Role.VENDOR, vendor="CKD")
KIKI = _person("kiki", "Kiki (Penyedia lain)", Role.VENDOR, vendor="MSK")
LINA = _person("lina", "Lina (Pengguna)", Role.APP_USER, unit="FST")
SARI = _person("sari", "Sari (SPI)", Role.AUDITOR, unit="SPI")
TONO = _person("tono", "Tono (Admin)", Role.ADMIN, unit="PUSTIPD")
MIRA = _person("mira", "Mira (Petugas Mutu)", Role.QUALITY_OFFICER, unit="PUSTIPD")
ZULKIFLI = _person("zulkifli", "Zulkifli (Pengusul lain)", Role.PROPOSER, unit="LPPM")

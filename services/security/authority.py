"""Who may do what in the security division: the table of its acts (S08).

A round belongs to the one tester who started it, so that whoever tested is known when the verdict is given.
"""

from shared.authority import Act, Acts
from shared.identity import Role

TESTERS = frozenset({Role.SECURITY_STAFF})
HEAD = frozenset({Role.SECURITY_HEAD})
READERS = frozenset(
    {
        Role.SECURITY_STAFF, Role.SECURITY_HEAD, Role.HEAD, Role.APP_HEAD, Role.APP_STAFF,
        Role.INFRA_HEAD, Role.INFRA_STAFF, Role.AUDITOR,
    }
)  # fmt: skip
NOT_INSTALLER = ("installed_by_id",)

ACTS = Acts.of(
    [
        Act(
            "start",
            "Mulai uji keamanan",
            TESTERS,
            step="S08",
            not_by=NOT_INSTALLER,
            consequence="Anda menjadi penguji; pemindaian kode dan alamat tertutup langsung dijalankan.",
        ),
        Act(
            "rescan",
            "Pindai ulang",
            TESTERS,
            step="S08",
            not_by=NOT_INSTALLER,
            own="tester_id",
            consequence="Kedua pemindai dijalankan lagi.",
        ),
        Act(
            "add_finding",
            "Catat temuan",
            TESTERS,
            step="S08",
            not_by=NOT_INSTALLER,
            own="tester_id",
            consequence="Temuan masuk daftar dan ikut menentukan putusan.",
        ),
        Act(
            "mend_finding",
            "Nyatakan temuan ini diperbaiki",
            TESTERS,
            step="S08",
            not_by=NOT_INSTALLER,
            own="tester_id",
            consequence="Temuan yang dicatat orang ditutup; temuan alat uji tertutup sendiri oleh pemindaian.",
        ),
        Act(
            "answer_controls",
            "Jawab butir kendali",
            TESTERS,
            step="S08",
            not_by=NOT_INSTALLER,
            own="tester_id",
            consequence="Jawaban tersimpan; dapat diubah sampai diajukan.",
        ),
        Act(
            "submit",
            "Ajukan untuk putusan",
            TESTERS,
            step="S08",
            not_by=NOT_INSTALLER,
            own="tester_id",
            consequence="Kepala Divisi Monitoring dan Security memutuskan.",
        ),
        Act(
            "send_back",
            "Kembalikan kepada penguji",
            HEAD,
            step="S08",
            consequence="Penguji melengkapi pemeriksaannya.",
        ),
        Act(
            "clear",
            "Nyatakan lulus dan terbitkan izin",
            HEAD,
            step="S08",
            not_by=("tester_id", "installed_by_id"),
            step_up=True,
            consequence="Izin bertanda tangan digital terbit hanya untuk sidik paket ini.",
        ),
        Act(
            "fail",
            "Nyatakan tidak lulus",
            HEAD,
            step="S08",
            not_by=("tester_id", "installed_by_id"),
            consequence="Aplikasi tetap tertutup; temuan dikirim untuk diperbaiki.",
            danger=True,
        ),
        Act(
            "revoke",
            "Cabut izin",
            HEAD,
            step="S08",
            consequence="Paket ini tidak dapat dibuka lagi di server mana pun.",
            danger=True,
        ),
        Act(
            "suspend",
            "Hentikan aplikasi sementara",
            HEAD,
            step="S08",
            consequence="Pengguna melihat halaman pemberitahuan sampai aplikasi diuji ulang.",
            danger=True,
        ),
    ]
)

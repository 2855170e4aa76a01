"""Who may do what at the helpdesk: the table of its acts."""

from shared.authority import Act, Acts
from shared.identity import Role

PEOPLE = frozenset(Role) - {Role.AUDITOR, Role.ADMIN}
AGENTS = frozenset({Role.SERVICE_STAFF, Role.SERVICE_HEAD})
HELPERS = AGENTS | {Role.APP_STAFF, Role.INFRA_STAFF, Role.SECURITY_STAFF}
READERS = HELPERS | {Role.APP_HEAD, Role.HEAD, Role.INFRA_HEAD, Role.SECURITY_HEAD, Role.AUDITOR}

ACTS = Acts.of(
    [
        Act(
            "open_ticket",
            "Laporkan gangguan",
            PEOPLE,
            step="S09",
            consequence="Tiket masuk ke Divisi Layanan dan mendapat nomor; Anda dapat mengikutinya dengan nomor itu.",
        ),
        Act(
            "answer",
            "Jawab",
            HELPERS,
            step="S09",
            consequence="Jawaban dikirim kepada pelapor; waktu penanganan berhenti sampai pelapor membalas.",
        ),
        Act(
            "add",
            "Tambahkan keterangan",
            PEOPLE,
            step="S09",
            own="reporter_id",
            own_roles=PEOPLE,
            consequence="Tiket kembali ditangani petugas.",
        ),
        Act("escalate", "Eskalasi", AGENTS, step="S09", consequence="Tiket diteruskan ke divisi terkait."),
        Act("resolve", "Nyatakan selesai", HELPERS, step="S09", consequence="Pelapor diminta mengonfirmasi."),
        Act(
            "close",
            "Konfirmasi dan tutup",
            PEOPLE,
            step="S09",
            own="reporter_id",
            own_roles=PEOPLE - AGENTS,
            consequence="Tiket ditutup dan tercatat dalam riwayat aplikasi.",
        ),
    ]
)

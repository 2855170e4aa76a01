"""Who may do what in the infrastructure division: the table of its acts, and who may read."""

from shared.authority import Act, Acts
from shared.identity import Role

APPLICATION = frozenset({Role.APP_STAFF, Role.APP_HEAD})
INFRASTRUCTURE = frozenset({Role.INFRA_STAFF, Role.INFRA_HEAD})
STAFF = frozenset({Role.INFRA_STAFF})
READERS = (
    APPLICATION
    | INFRASTRUCTURE
    | {Role.HEAD, Role.SECURITY_HEAD, Role.SECURITY_STAFF, Role.SERVICE_HEAD, Role.SERVICE_STAFF}
    | {Role.AUDITOR, Role.ADMIN}
)
"""Who sees every application here; vendors see their own, proposing units theirs."""
SERVER_READERS = INFRASTRUCTURE | {Role.HEAD, Role.SECURITY_HEAD, Role.SECURITY_STAFF, Role.AUDITOR, Role.ADMIN}

ACTS = Acts.of(
    [
        Act(
            "probe_server",
            "Periksa server",
            STAFF,
            step="S07",
            consequence="Alur menghubungi alamat itu satu kali dan menampilkan sidik jari kunci servernya; "
            "belum ada yang didaftarkan.",
        ),
        Act(
            "register_server",
            "Daftarkan server",
            STAFF,
            step="S07",
            consequence="Sidik jari itu dikunci: bila kelak berubah, semua pekerjaan di server itu dihentikan.",
        ),
        Act(
            "repin_server",
            "Kunci ulang sidik jari",
            frozenset({Role.INFRA_HEAD}),
            step="S07",
            step_up=True,
            consequence="Server dipakai kembali dengan kunci barunya; perubahan ini tercatat.",
            danger=True,
        ),
        Act(
            "retire_server",
            "Hentikan pemakaian server",
            STAFF,
            step="S07",
            consequence="Server tidak dapat dipilih lagi untuk hosting baru.",
            danger=True,
        ),
        Act(
            "request_hosting",
            "Ajukan hosting",
            APPLICATION,
            step="S07",
            consequence="Kepala Divisi Infrastruktur memutuskan permohonan ini.",
        ),
        Act(
            "accept_hosting",
            "Terima dan sediakan",
            frozenset({Role.INFRA_HEAD}),
            step="S07",
            not_by=("requested_by_id",),
            step_up=True,
            consequence="Domain dan ruang disediakan di server yang disebut; instalasi dapat direncanakan.",
        ),
        Act(
            "refuse_hosting",
            "Tolak permohonan",
            frozenset({Role.INFRA_HEAD}),
            step="S07",
            not_by=("requested_by_id",),
            consequence="Permohonan kembali kepada Divisi Aplikasi beserta alasannya.",
            danger=True,
        ),
        Act(
            "receive_build",
            "Unggah paket",
            frozenset({Role.VENDOR, Role.APP_STAFF}),
            step="S07",
            own="vendor",
            own_roles=frozenset({Role.VENDOR}),
            consequence="Isi paket diperiksa dan disimpan dengan satu sidik digital; sidik itulah yang diuji, "
            "diizinkan, dan dipasang.",
        ),
        Act(
            "report_defect",
            "Laporkan cacat",
            STAFF,
            step="S07",
            consequence="Paket dikembalikan kepada penyedia dan perkara kembali ke tahap pembangunan.",
            danger=True,
        ),
        Act(
            "plan_installation",
            "Susun rencana instalasi",
            STAFF,
            step="S07",
            consequence="Alur menanyakan keadaan server lalu menyusun rencana; belum ada yang diubah.",
        ),
        Act(
            "approve_installation",
            "Setujui dan pasang",
            frozenset({Role.INFRA_HEAD}),
            step="S07",
            not_by=("made_by_id",),
            step_up=True,
            consequence="Paket dipasang di alamat tertutup; pengguna belum dapat membukanya.",
        ),
        Act(
            "cancel_installation",
            "Batalkan rencana",
            INFRASTRUCTURE,
            step="S07",
            consequence="Rencana ini tidak dikerjakan; server tidak berubah.",
            danger=True,
        ),
        Act(
            "authorise_go_live",
            "Izinkan pembukaan",
            frozenset({Role.HEAD}),
            step="F04",
            not_by=("installed_by_id",),
            step_up=True,
            consequence="Staf Infrastruktur dapat membuka rilis ini untuk pengguna.",
        ),
        Act(
            "postpone",
            "Tunda pembukaan",
            frozenset({Role.HEAD}),
            step="F04",
            consequence="Rilis tetap tertutup; alasan penundaan tercatat.",
        ),
        Act(
            "go_live",
            "Buka untuk pengguna",
            STAFF,
            step="F04",
            not_by=("authorised_by_id",),
            step_up=True,
            consequence="Izin diperiksa sekali lagi di sini dan di server, lalu pintu depan dibuka.",
        ),
        Act(
            "roll_back",
            "Kembalikan ke rilis ini",
            STAFF,
            step="F04",
            step_up=True,
            consequence="Rilis ini melayani pengguna kembali; rilis yang sekarang disimpan.",
            danger=True,
        ),
    ]
)

"""Who may do what in the application division: the table of its acts, their roles taken from the procedure.

An act that moves a case lists the roles that the procedure gives to moves of that name and that work here; which
of them may make the very move from the present status, `may_move` says from the case's own version.
"""

from services.proposal.model import Case
from shared.authority import Act, Acts
from shared.errors import NotAllowed
from shared.identity import Person, Role
from shared.procedure import procedure
from shared.sentence import Sentence

PROPOSERS = frozenset({Role.PROPOSER, Role.UNIT_HEAD, Role.APP_STAFF, Role.APP_HEAD})
"""Who may propose; the procedure does not name them (note of S01), so units and the division itself."""
HERE = frozenset({Role.PROPOSER, Role.APP_HEAD, Role.HEAD})
"""Roles that move cases in this service; the moves of others arrive as messages."""
STAFF = frozenset(
    {
        Role.HEAD, Role.APP_HEAD, Role.APP_STAFF, Role.SERVICE_HEAD, Role.SERVICE_STAFF, Role.INFRA_HEAD,
        Role.INFRA_STAFF, Role.SECURITY_HEAD, Role.SECURITY_STAFF,
    }
)  # fmt: skip
"""The centre's own people."""
READERS = STAFF | {Role.AUDITOR}
"""Whoever sees every case."""
MONEY_READERS = frozenset({Role.PLANNING, Role.PPK, Role.TREASURER})
"""Whoever sees the cases that stand in a work programme."""
COMMENTERS = STAFF | PROPOSERS | MONEY_READERS
"""Whoever may speak about a case that they see; vendors speak by their own papers, auditors only read."""
PROVING = frozenset({Role.HEAD, Role.APP_HEAD, Role.AUDITOR})
"""Whoever may have the proof pack of a case: it holds every paper."""
PROGRAMME_WRITERS = frozenset({Role.HEAD, Role.APP_HEAD})
"""Whoever orders the work programme of a year."""
RECORDERS = frozenset({Role.APP_STAFF, Role.APP_HEAD, Role.SERVICE_HEAD, Role.SERVICE_STAFF})
SOP_WRITERS = frozenset({Role.QUALITY_OFFICER, Role.APP_HEAD})
"""Whoever draws up versions of the SOP; the Head publishes them."""
SOP_READERS = SOP_WRITERS | {Role.HEAD, Role.AUDITOR}
"""Whoever reads versions that are not published."""
DOERS = frozenset(Role) - {Role.AUDITOR, Role.ADMIN}
"""To whom a meeting may give something to do."""


def _roles(move: str) -> frozenset[Role]:
    found = [m.roles for m in procedure().moves if m.name == move]
    return frozenset().union(*found) & HERE


ACTS = Acts.of(
    [
        Act(
            "propose",
            "Buat usulan",
            PROPOSERS,
            step="S01",
            consequence="Usulan disimpan sebagai draf dan mendapat nomor perkara; belum dikirim kepada siapa pun.",
        ),
        Act(
            "amend",
            "Perbaiki isi usulan",
            PROPOSERS,
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            consequence="Isi usulan diperbarui; pengajuan yang lama tetap tersimpan.",
        ),
        Act(
            "save_draft",
            "Simpan bagian",
            PROPOSERS,
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            consequence="Isian disimpan apa adanya; kelengkapannya baru diperiksa saat diajukan.",
            saves_itself=True,
        ),
        Act(
            "attach_file",
            "Unggah lampiran",
            PROPOSERS,
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            consequence="Berkas disimpan bersama usulan dan dapat dihapus sampai usulan diajukan.",
        ),
        Act(
            "remove_file",
            "Hapus lampiran",
            PROPOSERS,
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            danger=True,
            consequence="Berkas tidak ikut pada pengajuan berikutnya; pengajuan yang sudah ada tetap memuatnya.",
        ),
        Act(
            "attach_letter",
            "Unggah surat usulan",
            PROPOSERS,
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            consequence="Pindaian surat disimpan bersama usulan.",
        ),
        Act(
            "submit",
            "Ajukan",
            PROPOSERS,
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            consequence="Usulan dikirim kepada Koordinator Divisi Aplikasi dan mendapat nomor agenda.",
        ),
        Act(
            "resubmit",
            "Ajukan kembali",
            PROPOSERS,
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            consequence="Usulan yang sudah diperbaiki dikirim kembali kepada Koordinator Divisi Aplikasi.",
        ),
        Act(
            "accept",
            "Terima untuk dianalisis",
            _roles("accept"),
            step="S01",
            not_by=("proposer_id",),
            consequence="Staf Pengembangan Aplikasi menyusun analisis kebutuhan.",
        ),
        Act(
            "accept_from_app_head",
            "Terima usulan Koordinator",
            _roles("accept_from_app_head"),
            step="S01",
            not_by=("proposer_id",),
            consequence="Usulan dari Koordinator Divisi Aplikasi diteruskan untuk dianalisis.",
        ),
        Act(
            "send_back",
            "Kembalikan",
            _roles("return"),
            step="S01",
            not_by=("proposer_id",),
            danger=True,
            consequence="Berkas kembali kepada pihak sebelumnya beserta alasan Anda.",
        ),
        Act(
            "merge_duplicate",
            "Gabungkan sebagai usulan ganda",
            _roles("merge_duplicate"),
            step="S01",
            not_by=("proposer_id",),
            danger=True,
            consequence="Perkara ini ditutup dan bertaut ke perkara yang sudah ada.",
        ),
        Act(
            "analyse",
            "Simpan analisis kebutuhan",
            frozenset({Role.APP_STAFF}),
            step="F01",
            consequence="Koordinator Divisi Aplikasi dapat merekomendasikannya kepada Kepala.",
        ),
        Act(
            "recommend",
            "Rekomendasikan kepada Kepala",
            _roles("recommend"),
            step="S02",
            consequence="Usulan dan analisisnya menunggu keputusan Kepala PUSTIPD.",
        ),
        Act(
            "approve",
            "Setujui",
            _roles("approve"),
            step="S02",
            not_by=("proposer_id", "recommended_by_id"),
            step_up=True,
            consequence="Koordinator mencantumkan aplikasi dalam program kerja tahun anggaran berikutnya.",
        ),
        Act(
            "reject",
            "Tolak",
            _roles("reject"),
            step="S02",
            not_by=("proposer_id",),
            danger=True,
            consequence="Perkara ditutup; pengusul membaca alasan Anda.",
        ),
        Act(
            "enter_work_programme",
            "Cantumkan dalam program kerja",
            _roles("enter_work_programme"),
            step="S02",
            consequence="Butir program kerja mendapat nomor dan RAB dapat mulai disusun.",
        ),
        Act(
            "rank_programme",
            "Ubah urutan",
            PROGRAMME_WRITERS,
            step="S02",
            consequence="Urutan program kerja berubah bagi semua yang membukanya.",
        ),
        Act(
            "amend_entry",
            "Ubah butir",
            frozenset({Role.APP_HEAD}),
            step="S02",
            consequence="Isi butir berubah bagi semua dan perubahannya tercatat pada jejak perkara.",
        ),
        Act(
            "check_programme_sheet",
            "Periksa berkas",
            frozenset({Role.APP_HEAD}),
            step="S02",
            consequence="Isi berkas diperiksa dan ditampilkan dahulu; program kerja belum berubah.",
        ),
        Act(
            "take_programme_sheet",
            "Terapkan berkas",
            frozenset({Role.APP_HEAD}),
            step="S02",
            consequence="Semua baris diterapkan sekaligus; butir yang tidak ada di berkas tidak berubah.",
        ),
        Act(
            "carry_over",
            "Alihkan ke tahun lain",
            frozenset({Role.APP_HEAD}),
            step="S02",
            consequence="Butir tercatat tidak terlaksana pada tahun ini dan tercantum pada tahun tujuan.",
        ),
        Act(
            "freeze_programme",
            "Tetapkan program kerja",
            frozenset({Role.HEAD}),
            step="S02",
            step_up=True,
            consequence="Urutan dan isinya terkunci dan dicetak; perubahan sesudahnya memerlukan revisi dengan alasan.",
        ),
        Act(
            "revise_programme",
            "Buka revisi",
            PROGRAMME_WRITERS,
            step="S02",
            danger=True,
            consequence="Program kerja dapat diubah lagi; revisi yang sudah ditetapkan tetap tersimpan.",
        ),
        Act(
            "save_terms",
            "Simpan bagian KAK",
            frozenset({Role.APP_STAFF, Role.APP_HEAD}),
            step="F02",
            consequence="Isian disimpan apa adanya dalam draf; kelengkapannya baru diperiksa saat menjadi versi.",
            saves_itself=True,
        ),
        Act(
            "write_terms",
            "Simpan sebagai versi",
            frozenset({Role.APP_STAFF, Role.APP_HEAD}),
            step="F02",
            consequence="KAK disimpan sebagai versi baru beserta PDF-nya; versi lama tetap ada.",
        ),
        Act(
            "restore_terms",
            "Pulihkan ke draf",
            frozenset({Role.APP_STAFF, Role.APP_HEAD}),
            step="F02",
            consequence="Isi versi ini menjadi draf dan dapat diubah lagi; semua versi tetap ada.",
        ),
        Act(
            "conclude",
            "Nyatakan pembahasan rapat selesai",
            _roles("conclude_meetings"),
            step="S03",
            consequence="Rencana dapat disampaikan kepada Bagian Perencanaan.",
        ),
        Act(
            "defer",
            "Tunda",
            _roles("defer"),
            step="S03",
            not_by=("proposer_id",),
            danger=True,
            consequence="Perkara ditunda dan dapat dicantumkan kembali pada tahun anggaran berikutnya.",
        ),
        Act(
            "cancel",
            "Batalkan",
            PROPOSERS | {Role.HEAD},
            step="S01",
            own="proposer_id",
            own_roles=PROPOSERS,
            danger=True,
            consequence="Perkara ditutup dan tidak dapat dibuka lagi.",
        ),
        Act(
            "write_comment",
            "Kirim komentar",
            COMMENTERS,
            step="S01",
            consequence="Komentar tidak dapat dihapus; dalam 15 menit dapat diperbaiki, sesudahnya hanya ditarik.",
        ),
        Act(
            "edit_comment",
            "Perbaiki komentar",
            COMMENTERS,
            step="S01",
            own="author_id",
            consequence="Komentar ditandai sudah diperbaiki.",
        ),
        Act(
            "withdraw_comment",
            "Tarik komentar",
            COMMENTERS,
            step="S01",
            own="author_id",
            danger=True,
            consequence="Isi komentar tidak ditampilkan lagi; bahwa ada komentar yang ditarik tetap terlihat.",
        ),
        Act(
            "call_meeting",
            "Buat rapat",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Rapat mendapat nomor notulen dan agendanya terisi dari yang menunggu dibahas.",
        ),
        Act(
            "record_item",
            "Catat butir",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Keputusan baru berlaku ketika notulen ditutup.",
        ),
        Act(
            "close_minutes",
            "Tutup notulen",
            frozenset({Role.HEAD, Role.APP_HEAD}),
            step="S03",
            consequence="Keputusan setiap butir dijalankan sekali; yang belum dibahas pindah ke rapat berikutnya.",
        ),
        Act(
            "write_item",
            "Simpan catatan",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Catatan tersimpan; keputusan baru berlaku ketika notulen ditutup.",
            saves_itself=True,
        ),
        Act(
            "reopen_minutes",
            "Buka kembali notulen",
            frozenset({Role.HEAD, Role.APP_HEAD}),
            step="S03",
            danger=True,
            consequence="Keputusan yang sudah dijalankan tetap; koreksi terbit sebagai versi baru, yang lama disimpan.",
        ),
        Act(
            "add_to_agenda",
            "Tambahkan ke agenda",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Butir ditambahkan pada akhir agenda.",
        ),
        Act(
            "remove_from_agenda",
            "Keluarkan dari agenda",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Butir hilang dari agenda rapat ini.",
        ),
        Act(
            "order_agenda",
            "Pindahkan urutan",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Urutan agenda berubah bagi semua.",
        ),
        Act(
            "refresh_agenda",
            "Isi agenda dari yang menunggu",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Yang menunggu dibahas dan belum ada pada agenda ditambahkan.",
        ),
        Act(
            "record_attendance",
            "Simpan daftar hadir",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Daftar undangan dan kehadiran diperbarui; dicetak pada notulen.",
        ),
        Act(
            "print_attendance",
            "Cetak lembar tanda tangan",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Lembar daftar hadir dicetak dari nama yang diundang.",
        ),
        Act(
            "invite",
            "Terbitkan undangan",
            frozenset({Role.HEAD, Role.APP_HEAD}),
            step="S03",
            consequence="Surat undangan mendapat nomor dan memuat agenda saat ini.",
        ),
        Act(
            "move_meeting",
            "Pindahkan jadwal",
            RECORDERS | {Role.HEAD},
            step="S03",
            consequence="Kalender yang berlangganan diperbarui; undangan perlu diterbitkan kembali.",
        ),
        Act(
            "cancel_meeting",
            "Batalkan rapat",
            frozenset({Role.HEAD, Role.APP_HEAD}),
            step="S03",
            danger=True,
            consequence="Rapat tidak diadakan; agendanya pindah ke rapat berikutnya.",
        ),
        Act(
            "make_series",
            "Buat seri rapat",
            frozenset({Role.HEAD, Role.APP_HEAD}),
            step="S03",
            consequence="Rapat yang akan datang dibuat sendiri menurut aturan ini, di luar hari libur.",
        ),
        Act(
            "change_series",
            "Ubah seri",
            frozenset({Role.HEAD, Role.APP_HEAD}),
            step="S03",
            consequence="Rapat yang akan datang mengikuti hari, jam, dan tempat yang baru, kecuali yang sudah "
            "dipindahkan atau diundangkan; daftar undangannya tetap.",
        ),
        Act(
            "end_series",
            "Akhiri seri",
            frozenset({Role.HEAD, Role.APP_HEAD}),
            step="S03",
            danger=True,
            consequence="Tidak ada lagi rapat baru dari seri ini; rapat yang sudah dibuat tetap ada.",
        ),
        Act(
            "finish_task",
            "Nyatakan selesai",
            DOERS,
            step="S03",
            own="person_id",
            own_roles=DOERS - RECORDERS - {Role.HEAD},
            consequence="Tindak lanjut tidak lagi muncul pada agenda rapat berikutnya.",
        ),
        Act(
            "drop_task",
            "Tidak dilanjutkan",
            RECORDERS | {Role.HEAD},
            step="S03",
            danger=True,
            consequence="Tindak lanjut ditutup dengan alasan dan tidak lagi muncul pada agenda.",
        ),
        Act(
            "make_calendar",
            "Buat alamat kalender",
            STAFF,
            consequence="Alamat lama, bila ada, tidak berlaku lagi. Alamat baru hanya ditampilkan sekali.",
        ),
        Act(
            "revoke_calendar",
            "Cabut alamat kalender",
            STAFF,
            danger=True,
            consequence="Kalender yang memakai alamat itu tidak lagi menerima jadwal rapat.",
        ),
        Act(
            "describe_application",
            "Simpan uraian",
            frozenset({Role.APP_STAFF, Role.APP_HEAD}),
            consequence="Uraian pada daftar aplikasi diperbarui; siapa mengubah apa tetap tercatat.",
        ),
        Act(
            "choose_register_columns",
            "Simpan kolom",
            frozenset({Role.APP_HEAD}),
            consequence="Ekspor daftar aplikasi memakai kolom dan urutan ini bagi semua.",
        ),
        Act(
            "open_evaluation",
            "Buka evaluasi",
            frozenset({Role.APP_HEAD, Role.APP_STAFF}),
            step="S10",
            consequence="Setiap divisi diminta mengirimkan angkanya untuk periode ini.",
        ),
        Act(
            "ask_again",
            "Minta angka lagi",
            frozenset({Role.APP_HEAD, Role.APP_STAFF}),
            step="S10",
            consequence="Setiap divisi diminta sekali lagi mengirimkan angkanya; yang sudah ada diperbarui.",
        ),
        Act(
            "report_evaluation",
            "Susun laporan evaluasi",
            frozenset({Role.APP_HEAD, Role.APP_STAFF}),
            step="S10",
            consequence="Laporan dicetak dan siap dipaparkan pada rapat rutin mingguan.",
        ),
        Act(
            "answer_survey",
            "Isi survei",
            frozenset(Role) - {Role.AUDITOR, Role.ADMIN},
            step="S10",
            consequence="Jawaban disimpan tanpa nama Anda dan hanya sekali untuk setiap orang.",
        ),
        Act(
            "open_survey_link",
            "Buka survei untuk umum",
            frozenset({Role.APP_HEAD, Role.APP_STAFF}),
            step="S10",
            consequence="Siapa pun yang memegang tautannya dapat menjawab tanpa akun sampai tanggal itu; jawabannya "
            "dihitung terpisah.",
        ),
        Act(
            "decide_evaluation",
            "Putuskan hasil evaluasi",
            frozenset({Role.HEAD}),
            step="S10",
            not_by=("reported_by_id",),
            step_up=True,
            consequence="Keputusan tercatat pada riwayat aplikasi. Bila dinonaktifkan: situsnya ditutup bagi pengguna "
            "dan tiket baru tidak diterima; datanya tetap.",
        ),
        Act(
            "follow_up",
            "Ajukan tindak lanjut",
            frozenset({Role.APP_HEAD}),
            step="S11",
            consequence="Perkara baru yang bertaut ke aplikasi ini dibuat dan langsung diajukan kepada Kepala.",
        ),
        Act(
            "make_proof_pack",
            "Susun paket bukti",
            PROVING,
            consequence="Bukti dikumpulkan dari setiap divisi menjadi satu arsip yang dapat diperiksa tanpa Alur. "
            "Perkaranya sendiri tidak berubah.",
        ),
        Act(
            "draft_procedure",
            "Susun versi baru",
            SOP_WRITERS,
            consequence="Rancangan dibuat dari versi yang berlaku. Setiap perkara tetap berjalan menurut versinya.",
        ),
        Act(
            "write_procedure_identity",
            "Simpan lembar identitas",
            SOP_WRITERS,
            consequence="Lembar pertama rancangan diperbarui; versi yang berlaku tidak berubah.",
        ),
        Act(
            "write_procedure_step",
            "Simpan langkah",
            SOP_WRITERS,
            consequence="Langkah pada rancangan diperbarui; versi yang berlaku tidak berubah.",
        ),
        Act(
            "discard_procedure",
            "Batalkan rancangan",
            SOP_WRITERS,
            danger=True,
            consequence="Rancangan ditutup dan tetap tersimpan; versi yang berlaku tidak berubah.",
        ),
        Act(
            "publish_procedure",
            "Sahkan SOP",
            frozenset({Role.HEAD}),
            not_by=("drafted_by_id",),
            step_up=True,
            consequence="SOP dicetak dengan pengesahan Anda dan tidak dapat diubah lagi. Perkara baru memakainya sejak "
            "tanggal efektif; perkara yang sudah berjalan tetap memakai versinya.",
        ),
        Act(
            "withdraw_procedure",
            "Tarik SOP",
            frozenset({Role.HEAD}),
            danger=True,
            step_up=True,
            consequence="Perkara baru kembali memakai versi sebelumnya. Versi ini tetap tersimpan, dan perkara yang "
            "sudah memakainya tetap berjalan menurut versi ini.",
        ),
        Act(
            "register_existing",
            "Ambil alih perkara yang sudah berjalan",
            frozenset({Role.APP_HEAD, Role.APP_STAFF}),
            consequence="Perkara masuk Alur pada statusnya sekarang; langkah sebelumnya tidak ditulis ulang.",
        ),
    ]
)

MOVES = {
    "submit": "submit",
    "resubmit": "resubmit",
    "accept": "accept",
    "accept_from_app_head": "accept_from_app_head",
    "send_back": "return",
    "merge_duplicate": "merge_duplicate",
    "recommend": "recommend",
    "approve": "approve",
    "reject": "reject",
    "enter_work_programme": "enter_work_programme",
    "conclude": "conclude_meetings",
    "defer": "defer",
    "cancel": "cancel",
}
"""The move of the case that each act makes."""


def may_move(by: Person, case: Case, act: Act) -> str | None:
    """Return why this person may not make the act's move from the case's present status, or None.

    The proposer of a case counts as `proposer` whatever their post is (S11: the app head submits too).
    Raises OutOfTurn when the status does not know the move.
    """
    move = case.require(MOVES[act.name])
    held = by.roles | ({Role.PROPOSER} if by.id == case.proposer_id else frozenset())
    allowed = move.roles & held & (act.roles | {Role.PROPOSER})
    if allowed:
        return None
    return Sentence(
        "Tindakan “{label}” pada status “{case_label}” adalah wewenang: {names}. Mohon hubungi beliau.",
        label=act.label,
        case_label=case.label,
        names=sorted(case.sop.titles[role] for role in move.roles),
    )


def check_move(by: Person, case: Case, act: Act) -> None:
    """Refuse whoever may not make the act's move now: OutOfTurn by status, NotAllowed by role."""
    reason = may_move(by, case, act)
    if reason:
        raise NotAllowed(reason)

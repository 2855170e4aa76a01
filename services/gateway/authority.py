"""Who may do what at the gateway: the table of its acts."""

from shared import oversight
from shared.authority import Act, Acts
from shared.identity import Role

WATCHERS = oversight.WATCHERS
APPOINTERS = frozenset({Role.HEAD, Role.ADMIN})
KEEPERS = frozenset({Role.ADMIN})
"""Who keeps the accounts."""

ACTS = Acts.of(
    [
        Act(
            "remove_second_factor",
            "Cabut langkah kedua",
            frozenset({Role.ADMIN}),
            danger=True,
            step_up=True,
            consequence="Orang ini masuk dengan kata sandi saja sampai mengaktifkannya lagi; semua sesinya berakhir.",
        ),
        Act("see_authority", "Lihat wewenang", WATCHERS),
        Act(
            "appoint",
            "Tetapkan penugasan",
            APPOINTERS,
            step_up=True,
            not_by=("person_id",),
            consequence="Wewenang jabatan itu berlaku pada hari-hari tersebut dan berakhir dengan sendirinya; yang "
            "bertindak sebagai Plt. atau Plh. tercatat demikian dalam jejak.",
        ),
        Act(
            "end_appointment",
            "Akhiri penugasan",
            APPOINTERS,
            danger=True,
            step_up=True,
            consequence="Wewenangnya berakhir setelah hari terakhir itu, atau saat ini juga bila dikosongkan; yang "
            "sudah diputuskan tetap berlaku.",
        ),
        *oversight.ACTS,
        Act("see_people", "Lihat daftar orang", KEEPERS),
        Act(
            "invite",
            "Undang",
            KEEPERS,
            step_up=True,
            consequence="Tautan undangan berlaku 24 jam dan sekali pakai. Orang itu memegang perannya begitu menerima.",
        ),
        Act(
            "withdraw_invitation",
            "Tarik kembali",
            KEEPERS,
            danger=True,
            consequence="Tautannya tidak berlaku lagi saat ini juga.",
        ),
        Act(
            "reset_password",
            "Buat tautan kata sandi",
            KEEPERS,
            step_up=True,
            not_by=("id",),
            consequence="Tautan berlaku 24 jam dan sekali pakai. Kata sandi lama tetap berlaku sampai tautan dipakai; "
            "setelah itu semua sesi dan tokennya berakhir.",
        ),
        Act(
            "close_account",
            "Tutup akun",
            KEEPERS,
            step_up=True,
            not_by=("id",),
            danger=True,
            consequence="Orang itu tidak dapat masuk lagi; semua sesi, token, dan tautannya berakhir saat ini juga.",
        ),
        Act(
            "edit_calendar",
            "Simpan hari libur",
            KEEPERS,
            consequence="Batas waktu dan lama kerja pada tahun itu dihitung ulang di semua divisi.",
        ),
        Act(
            "open_day",
            "Jadikan hari kerja",
            KEEPERS,
            danger=True,
            consequence="Hari itu tidak lagi dihitung sebagai hari libur di semua divisi.",
        ),
        Act(
            "confirm_calendar",
            "Tetapkan menurut keputusan",
            KEEPERS,
            consequence="Tanda perkiraan pada tahun ini hilang dan nomor keputusan dicantumkan.",
        ),
        Act(
            "seed_calendar",
            "Isi dari daftar umum",
            KEEPERS,
            consequence="Hari yang sudah tercantum tidak berubah; yang belum pasti ditandai sebagai perkiraan.",
        ),
        Act(
            "import_calendar",
            "Impor dari CSV",
            KEEPERS,
            consequence="Seluruh daftar hari libur tahun ini diganti dengan isi berkas.",
        ),
        Act(
            "set_hours",
            "Simpan jam kerja khusus",
            KEEPERS,
            consequence="Jam kerja pada hari-hari itu mengikuti isian ini, misalnya selama bulan Ramadan.",
        ),
        Act(
            "usual_hours_again",
            "Hapus jam kerja khusus",
            KEEPERS,
            danger=True,
            consequence="Jam kerja biasa berlaku kembali pada hari-hari itu.",
        ),
    ]
)

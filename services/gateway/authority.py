"""Who may do what at the gateway: the table of its acts."""

from shared.authority import Act, Acts
from shared.identity import Role

WATCHERS = frozenset({Role.AUDITOR, Role.HEAD, Role.ADMIN})
APPOINTERS = frozenset({Role.HEAD, Role.ADMIN})

ACTS = Acts.of(
    [
        Act("see_authority", "Lihat wewenang", WATCHERS),
        Act(
            "appoint",
            "Tetapkan penugasan",
            APPOINTERS,
            not_by=("person_id",),
            consequence="Pelaksana memegang wewenang jabatan itu pada hari-hari tersebut; jejak mencatatnya sebagai "
            "Plt. atau Plh. Penugasan berakhir dengan sendirinya.",
        ),
        Act(
            "end_appointment",
            "Akhiri sekarang",
            APPOINTERS,
            danger=True,
            consequence="Wewenang pelaksana berakhir saat ini juga; yang sudah diputuskannya tetap berlaku.",
        ),
    ]
)

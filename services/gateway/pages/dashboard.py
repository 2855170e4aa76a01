"""The dashboard: figures of every division, drawn here from what each tells, with a table behind each plot."""

from fastapi import APIRouter, Request, Response

from services.gateway.asker import Known, doors_of
from services.gateway.door.doors import TITLES
from services.gateway.door.figures import Dashboard, gather, must_see_figures
from services.gateway.pages.show import show
from shared.errors import NotFound
from shared.figures import as_csv, written
from shared.identity import Caller
from shared.language import long_moment
from shared.plots import figure

router = APIRouter(include_in_schema=False)


async def _gathered(request: Request, caller: Caller, tahun: str, unit: str) -> tuple[Dashboard, dict[str, str]]:
    must_see_figures(caller.person)
    year = tahun if tahun.isascii() and tahun.isdigit() and len(tahun) == 4 and tahun >= "1900" else ""
    asked = {key: value for key, value in {"tahun": year, "unit": unit.strip()[:20]}.items() if value}
    return await gather(doors_of(request), caller, asked), asked


@router.get("/dasbor")
async def dashboard(request: Request, caller: Known, tahun: str = "", unit: str = "") -> Response:
    found, asked = await _gathered(request, caller, tahun, unit)
    moments = [panel.counted_at for figures in found.parts.values() for panel in figures.panels]
    return show(
        request,
        "dashboard.html",
        "Dasbor",
        parts=found.parts,
        silent=[TITLES.get(name, name) for name in found.silent],
        choices=found.choices,
        asked=asked,
        titles=TITLES,
        counted_at=long_moment(min(moments)) if moments else "",
        figure=figure,
        written=written,
    )


@router.get("/dasbor/{part}/{panel}/{table}.csv")
async def table(
    request: Request, caller: Known, part: str, panel: str, table: str, tahun: str = "", unit: str = ""
) -> Response:
    # A file is in Indonesian for everybody.
    found, _ = await _gathered(request, caller.model_copy(update={"language": "id"}), tahun, unit)
    wanted = found.table(part, panel, table)
    if wanted is None:
        raise NotFound("Tabel ini tidak ada, atau bukan untuk Anda. Mohon mulai dari dasbor.")
    return Response(
        as_csv(wanted),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{part}-{panel}-{wanted.key}.csv"',
            "cache-control": "private, no-store",
        },
    )

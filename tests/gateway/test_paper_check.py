"""Anybody who holds a paper may check it: without an account, without script, and not too often."""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import date

import httpx
import pytest

from services.gateway.app import make
from services.gateway.door.remote import RemoteDoor
from services.gateway.paper_check import LARGEST_FILE, MOST_ADDRESSES, Throttle, TooManyChecks
from services.gateway.settings import Settings
from shared import issued
from shared.database import Database, utc_now
from tests.gateway.conftest import House, Visitor, serving

PDF = b"%PDF-1.7 sebuah dokumen"
DIGEST = hashlib.sha256(PDF).hexdigest()


@pytest.fixture
def issue(people: Database) -> Callable[..., str]:
    """Return what issues a paper of the toy division, whose database is the gateway's, and gives its code."""

    def issue(*, is_sealed: bool = True, division: str = "budget") -> str:
        signer = issued.Signer(name="Citra Contoh", as_what="Plt. Kepala PUSTIPD", signed_at=utc_now())
        with people.transaction() as session:
            code = issued.issue(
                session,
                division,
                kind="rab",
                title="Rencana <b>Anggaran</b> Biaya",
                number="1/RAB/2026",
                on=date(2026, 11, 22),
                signers=[signer],
                case_number="APL-2026-0042",
            )
            if is_sealed:
                issued.seal(session, code, DIGEST)
        return code

    return issue


Issue = Callable[..., str]


def compared(client: httpx.Client, code: str, file: bytes, **fields: str) -> httpx.Response:
    return client.post(f"/periksa/{code}", data=fields, files={"file": ("dokumen.pdf", file, "application/pdf")})


def test_a_genuine_paper_says_what_it_is_and_who_signed_it_as_what(house: House, issue: Issue) -> None:
    code = issue()
    with house.client() as client:
        page = client.get(f"/periksa/{code}")

    assert page.status_code == 200
    for told in ("Dokumen asli", "1/RAB/2026", "22 November 2026", "Citra Contoh", "Plt. Kepala PUSTIPD", DIGEST, code):
        assert told in page.text
    assert "<b>Anggaran" not in page.text
    assert "APL-2026-0042" not in page.text


def test_a_code_typed_by_hand_leads_to_its_paper(house: House, issue: Issue) -> None:
    code = issue()
    typed = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
    with house.client() as client:
        answer = client.get("/periksa", params={"kode": typed})

    assert (answer.status_code, answer.headers["location"]) == (303, f"/periksa/{code}")


def test_what_is_no_code_keeps_what_was_typed_and_says_what_a_code_looks_like(house: House) -> None:
    with house.client() as client:
        page = client.get("/periksa", params={"kode": "KAK <2026>"})

    assert page.status_code == 422
    assert 'value="KAK &lt;2026&gt;"' in page.text and "12 huruf dan angka" in page.text


@pytest.mark.parametrize("code", ["B000-0000-0000", "Z000-0000-0000", "halo"])
def test_an_unknown_code_is_told_kindly_with_what_to_do(house: House, code: str) -> None:
    with house.client() as client:
        page = client.get(f"/periksa/{code}")

    assert page.status_code == 404
    assert "Dokumen tidak dikenal" in page.text and "tanyakan keasliannya" in page.text
    assert f'value="{code}"' in page.text


def test_a_code_without_a_printed_paper_is_unknown(house: House, issue: Issue) -> None:
    with house.client() as client:
        assert client.get(f"/periksa/{issue(is_sealed=False)}").status_code == 404


def test_a_withdrawn_paper_says_so_and_why(house: House, issue: Issue, people: Database) -> None:
    code = issue()
    with people.transaction() as session:
        issued.withdraw(session, code, reason="Nomor salah ketik.")
    with house.client() as client:
        page = client.get(f"/periksa/{code}").text
        twin = client.get(f"/api/paper-checks/{code}").json()

    assert "tidak berlaku lagi" in page and "Nomor salah ketik." in page and "Dokumen asli." not in page
    assert twin["counts"] is False


def test_the_very_file_is_told_from_an_altered_one(house: House, issue: Issue) -> None:
    code = issue()
    with house.client() as client:
        same = compared(client, code, PDF)
        altered = compared(client, code, PDF + b" ")

    assert same.status_code == altered.status_code == 200
    assert "Berkas sama" in same.text and "Berkas berbeda" not in same.text
    assert "Berkas berbeda" in altered.text and hashlib.sha256(PDF + b" ").hexdigest() in altered.text


def test_a_file_may_come_after_other_fields_and_in_many_pieces(house: House, issue: Issue) -> None:
    code, large = issue(), b"%PDF-" + bytes(3_000_000)
    with house.client() as client:
        page = compared(client, code, large, catatan="file")

    assert hashlib.sha256(large).hexdigest() in page.text


def test_without_a_file_the_form_asks_for_one(house: House, issue: Issue) -> None:
    code = issue()
    with house.client() as client:
        empty = compared(client, code, b"")
        plain = client.post(f"/periksa/{code}", data={"file": "x"})
        broken = client.post(
            f"/periksa/{code}", content=b"--x\r\nhalo", headers={"content-type": "multipart/form-data; boundary=x"}
        )

    assert [answer.status_code for answer in (empty, plain, broken)] == [422, 422, 422]
    assert "Belum ada berkas" in empty.text and "Belum ada berkas" in plain.text


def test_a_file_that_is_no_paper_by_its_size_is_refused(house: House, issue: Issue) -> None:
    code = issue()
    with house.client() as client:
        announced = compared(client, code, bytes(LARGEST_FILE + 100_000))

        def pieces() -> Iterator[bytes]:
            yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
            yield from (bytes(1024 * 1024) for _ in range(25))

        unannounced = client.post(
            f"/periksa/{code}", content=pieces(), headers={"content-type": "multipart/form-data; boundary=x"}
        )

    assert (announced.status_code, unannounced.status_code) == (413, 413)
    assert "20 MB" in announced.text and "20 MB" in unannounced.text


def test_who_is_signed_in_compares_as_well(issue: Issue, visitor: Callable[..., Visitor]) -> None:
    code, ani = issue(), visitor()
    form = ani.client.get(f"/periksa/{code}").text

    assert f'name="form_token" value="{ani.form_token}"' in form
    assert "Berkas sama" in compared(ani.client, code, PDF, form_token=ani.form_token).text


def test_a_program_gets_the_same_answers(house: House, issue: Issue) -> None:
    code = issue()
    with house.client() as client:
        genuine = client.get(f"/api/paper-checks/{code.lower()}")
        unknown = client.get("/api/paper-checks/B000-0000-0000")

    assert genuine.status_code == 200
    assert (genuine.json()["paper"]["digest"], genuine.json()["counts"]) == (DIGEST, True)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_paper")


def test_what_divisions_tell_the_gateway_is_not_told_outside(house: House, issue: Issue) -> None:
    with house.client() as client:
        assert client.get(f"/inner/papers/{issue()}").status_code == 404


def test_neither_page_needs_script_or_an_account(house: House, issue: Issue) -> None:
    code = issue()
    with house.client() as client:
        pages = [client.get("/periksa"), client.get(f"/periksa/{code}")]

    for page in pages:
        assert page.status_code == 200
        assert "<script" not in page.text and "hx-" not in page.text
        # Every field has its label, and every form its button: it works as plain HTML at any width.
        fields = set(re.findall(r'<input id="([a-z]+)"', page.text))
        assert fields and fields == set(re.findall(r'<label for="([a-z]+)"', page.text))
        assert page.text.count("<form") == page.text.count('type="submit"')
        assert 'name="viewport" content="width=device-width' in page.text


def test_a_silent_division_is_named_and_nothing_is_claimed(settings_for: Callable[..., Settings]) -> None:
    gateway = make(settings_for(), {"budget": RemoteDoor("http://127.0.0.1:9")})
    with serving(gateway) as url, httpx.Client(base_url=url, headers={"accept": "text/html"}) as client:
        page = client.get("/periksa/B000-0000-0000")
        other = client.get("/api/paper-checks/S000-0000-0000")
    gateway.database.close()

    assert page.status_code == 503 and "Anggaran, yang sedang tidak menjawab" in page.text
    assert "tidak dikenal" not in page.text
    assert (other.status_code, other.json()["code"]) == (503, "part_silent")


def test_the_thirty_first_check_in_a_minute_waits(settings_for: Callable[..., Settings]) -> None:
    gateway = make(settings_for(), {})
    with serving(gateway) as url, httpx.Client(base_url=url, headers={"accept": "text/html"}) as client:
        codes = [client.get("/api/paper-checks/X").status_code for _ in range(30)]
        page, twin = client.get("/periksa/X"), client.get("/api/paper-checks/X")
        form = client.get("/periksa")
    gateway.database.close()

    assert set(codes) == {404}
    assert (page.status_code, twin.status_code, form.status_code) == (429, 429, 200)
    assert "Mohon tunggu" in page.text
    assert 0 < int(page.headers["retry-after"]) <= 60 and 0 < int(twin.headers["retry-after"]) <= 60


def test_the_minute_of_an_address_ends_and_others_are_not_touched() -> None:
    now = [0.0]
    throttle = Throttle(2, clock=lambda: now[0])
    throttle.claim("192.0.2.1")
    throttle.claim("192.0.2.1")

    with pytest.raises(TooManyChecks):
        throttle.claim("192.0.2.1")
    throttle.claim("192.0.2.2")
    now[0] = 60.0
    throttle.claim("192.0.2.1")


def test_one_network_of_ipv6_counts_as_one_address() -> None:
    throttle = Throttle(1, clock=lambda: 0.0)
    throttle.claim("2001:db8::1")

    with pytest.raises(TooManyChecks):
        throttle.claim("2001:db8::ffff")
    throttle.claim("2001:db8:0:1::1")


def test_many_addresses_do_not_fill_the_memory() -> None:
    throttle = Throttle(1, clock=lambda: 0.0)

    for n in range(MOST_ADDRESSES + 10):
        throttle.claim(f"address {n}")

    assert len(throttle._counted) == MOST_ADDRESSES

"""Checks a proof pack without Alur and without a network: python3 check_proof.py PACK.zip [--key HEX].

It stands alone: standard library only, Python 3.10 or newer. It tells each check in Indonesian and names with file and
line what does not hold; it ends with 0 when all holds, 1 when something does not, 2 when it was called wrongly.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

MANIFEST, SIGNATURE, CHUNK = "manifest.json", "signature.json", 1 << 20
Point = tuple[int, int, int, int]
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(a: Point, b: Point) -> Point:
    """Add two points of Ed25519 in extended coordinates."""
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    return (f - e) * (h - g) % P, (h + g) * (f + e) % P, (h - g) * (h + g) % P, (f - e) * (f + e) % P


def times(scalar: int, point: Point) -> Point:
    """Multiply a point."""
    total = (0, 1, 1, 0)
    for bit in f"{scalar:b}":
        total = add(add(total, total), point) if bit == "1" else add(total, total)
    return total


def same(a: Point, b: Point) -> bool:
    """Tell whether two points are one."""
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point(raw: bytes) -> Point | None:
    """Return the point that 32 bytes stand for, None when they stand for none."""
    sign, y = raw[31] >> 7, int.from_bytes(raw, "little") & ((1 << 255) - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def is_signed(public_key: str, message: bytes, signature: str) -> bool:
    """Tell whether this is the key's Ed25519 signature of the message (RFC 8032 §5.1.7, without cofactor)."""
    public, sealed = bytes.fromhex(public_key), bytes.fromhex(signature)
    key, commitment, response = point(public), point(sealed[:32]), int.from_bytes(sealed[32:], "little")
    base = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    if len(sealed) != 64 or not (key and commitment and base) or response >= L or same(times(8, key), (0, 1, 1, 0)):
        return False
    challenge = int.from_bytes(hashlib.sha512(sealed[:32] + public + message).digest(), "little") % L
    return same(times(response, base), add(commitment, times(challenge, key)))


class Check:
    """One check of one pack, and everything that was found wrong."""

    def __init__(self, pack: Path, key: str) -> None:
        self.path, self.key, self.faults = pack, key, 0
        self.digests, self.texts = dict[str, str](), dict[str, bytes]()

    def expect(self, holds: Any, words: str) -> None:
        """Tell what does not hold."""
        if not holds:
            self.faults += 1
            print("  SALAH  " + words)

    def told(self, look: Callable[[], str]) -> None:
        """Make one check and tell whether it holds; what cannot be read does not hold, whatever the reader says."""
        before, words = self.faults, f"{look.__name__}: tidak terbaca"
        try:
            words = look()
        except Exception as reason:
            self.expect(False, f"{words} ({type(reason).__name__}: {reason})")
        print(("COCOK  " if self.faults == before else "GAGAL  ") + words)

    def files(self) -> str:
        """Read every file once: its digest, and its text where it is JSON."""
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                seen, text, name = hashlib.sha256(), b"", info.filename
                self.expect(name not in self.digests, f"berkas {name} ada dua kali")
                try:
                    with archive.open(info) as file:
                        while piece := file.read(CHUNK):
                            seen.update(piece)
                            text += piece if name.endswith(".json") else b""
                except Exception as reason:
                    self.expect(False, f"berkas {name} rusak: {reason}")
                self.digests[name], self.texts[name] = seen.hexdigest(), text
        return f"Isi paket: {len(self.digests)} berkas"

    def signature(self) -> str:
        """Check who signed the manifest."""
        sealed = json.loads(self.texts[SIGNATURE])
        self.expect(self.key in ("", sealed["public_key"]), f"{SIGNATURE}: kuncinya bukan kunci yang Anda berikan")
        genuine = is_signed(sealed["public_key"], self.texts[MANIFEST], sealed["signature"])
        self.expect(genuine, f"{SIGNATURE}: tanda tangan tidak cocok dengan isi {MANIFEST}")
        return f"Tanda tangan paket, kunci {sealed['public_key']}"

    def manifest(self) -> str:
        """Check every file against the manifest, both ways, and those named by their digest against their name."""
        listed = {one["path"]: one["sha256"] for one in json.loads(self.texts[MANIFEST])["files"]}
        for name in sorted({*listed, *self.digests} - {MANIFEST, SIGNATURE}):
            known, here = listed.get(name), self.digests.get(name)
            words = "tidak ada dalam paket" if not here else "berubah" if known else "bukan bagian paket ini"
            right = known == here and (not name.startswith(("papers/", "builds/")) or str(here) in name)
            self.expect(right, f"berkas {name} {words}")
        return f"Sidik setiap berkas: {len(listed)} berkas"

    def shape(self) -> str:
        """Check that the archive is, byte for byte, what its content gives: nothing hidden in it or behind it."""
        names = [one["path"] for one in json.loads(self.texts[MANIFEST])["files"]] + [MANIFEST, SIGNATURE]
        with zipfile.ZipFile(self.path) as archive, tempfile.TemporaryFile() as again, self.path.open("rb") as given:
            with zipfile.ZipFile(again, "w") as copy:
                for name in names:
                    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                    info.create_system, info.external_attr = 3, 0o644 << 16
                    info.file_size = archive.getinfo(name).file_size
                    with archive.open(name) as file, copy.open(info, "w") as into:
                        shutil.copyfileobj(file, into)
            at = again.seek(0)
            while (one := given.read(CHUNK)) == (other := again.read(CHUNK)) and one:
                at += len(one)
            at += next((n for n in range(len(one)) if one[n : n + 1] != other[n : n + 1]), len(one))
            names = [
                "akhir ZIP",
                *(i.filename for i in archive.infolist() if i.header_offset <= at < archive.start_dir),
            ]
            self.expect(one == other, f"byte ke-{at + 1} arsip bukan yang semestinya, pada {names[-1]}")
        return "Susunan arsip"

    def trace(self) -> str:
        """Check each audit line against its digest and neighbour, and each entry of the trace against what it cites."""
        hashes, entries = {}, json.loads(self.texts["trace.json"])["entries"]
        for name in (n for n in self.texts if n.startswith("audit/")):
            chain, before = json.loads(self.texts[name]), {"seq": -1}
            for line in chain["lines"]:
                place = f"{name} baris {line['seq']}"
                digest = hashlib.sha256(f"{line['previous']}\n{line['line']}".encode()).hexdigest()
                fits = digest == line["hash"] and json.loads(line["line"])["seq"] == line["seq"]
                self.expect(fits, f"{place}: isi tidak cocok dengan sidik atau nomornya")
                joined = line["seq"] != before["seq"] + 1 or line["previous"] == before["hash"]
                self.expect(joined, f"{place}: tidak menyambung ke baris sebelumnya")
                hashes[chain["service"], line["seq"]], before = line["hash"], line
        for entry in entries:
            place, cited = f"trace.json catatan {entry['seq']} ({entry['says']})", entry["audit"]
            found = not cited or hashes.get((cited["service"], cited["seq"])) == cited["hash"]
            self.expect(found, f"{place}: baris audit yang ditunjuk tidak ada atau lain")
            for paper in entry["papers"]:
                found = not paper["digest"] or self.digests.get(paper["file"]) == paper["digest"]
                self.expect(found, f"{place}: dokumen {paper['title']} ({paper['file']}) tidak ada atau lain")
        return f"Jejak dan rantai audit: {len(entries)} catatan, {len(hashes)} baris audit"

    def evidence(self) -> str:
        """Check each permit's signature and build, and that each code belongs to a paper here; tell who signed."""
        builds = {entry["build"] for entry in json.loads(self.texts["trace.json"])["entries"]}
        permits = [name for name in self.texts if name.startswith("permits/")]
        for name in permits:
            signed = json.loads(self.texts[name])
            genuine = is_signed(signed["public_key"], signed["permit"].encode(), signed["signature"])
            self.expect(genuine, f"{name}: tanda tangan izin tidak cocok")
            self.expect(json.loads(signed["permit"])["digest"] in builds, f"{name}: kemasannya tidak ada dalam jejak")
        here, codes = {name[7:71] for name in self.texts}, json.loads(self.texts["codes.json"])
        for code in codes:
            self.expect(code["digest"] in here, f"codes.json: dokumen berkode {code['code']} tidak ada dalam paket")
        signers = sorted({f"{one['name']} ({one['as_what']})" for code in codes for one in code["signers"]})
        return f"Izin dan kode: {len(permits)} izin, {len(codes)} kode, oleh {', '.join(signers)}"


def main() -> int:
    """Check one pack; return 0 when all holds, 1 when something does not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--key", default="", type=str.lower)
    check = Check(**vars(parser.parse_args()))
    for look in (check.files, check.signature, check.manifest, check.shape, check.trace, check.evidence):
        check.told(look)
    if not check.key:
        print("CATATAN  Cocokkan kunci di atas dengan yang tercantum pada halaman Periksa dokumen, atau beri --key.")
    print(f"HASIL  {check.faults} hal tidak cocok." if check.faults else "HASIL  Paket utuh dan asli.")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main())

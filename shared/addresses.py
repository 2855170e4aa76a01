"""Addresses that somebody typed and to which Alur connects: plain names and IP addresses, never nobody's place.

Servers of a campus stand in private networks and the practice server on loopback, so these are allowed. Refused is what
can be no server of a campus: link-local (where clouds keep their secrets, 169.254.169.254), multicast, unspecified,
reserved; and every way of writing an address that two readers could read differently (2130706433, 0177.0.0.1, 127.1).
"""

import ipaddress
import re
import socket
from typing import Annotated

from pydantic import AfterValidator

NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
ODD = "Alamat ini tidak dikenali. Tulis nama lengkap seperti web.kampus.example, atau alamat IP seperti 10.0.0.5."
NOBODYS = "Alamat ini bukan alamat server (link-local, multicast, atau cadangan). Periksa kembali alamatnya."


def plain(address: str) -> str:
    """Return an address that only one reading has; raise ValueError, in words, for any other."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        # A name whose last part is a number is an IP address in disguise (WHATWG URL, "ends in a number").
        if not NAME.fullmatch(address) or NUMERIC.match(address.rpartition(".")[2]):
            raise ValueError(ODD) from None
        return address
    if is_nobodys(found):
        raise ValueError(NOBODYS)
    return address


def is_nobodys(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether no server of a campus can stand there."""
    inner = getattr(address, "ipv4_mapped", None) or address
    if inner.is_loopback:
        return False
    return bool(inner.is_link_local or inner.is_multicast or inner.is_unspecified or inner.is_reserved)


def resolved(address: str, port: int) -> str:
    """Return the IP address to connect to; raise OSError when the name leads to nobody's place, or nowhere.

    What was checked is what is connected to: a name that answers otherwise the second time gains nothing.
    """
    found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        text = str(place[0])
        if not is_nobodys(ipaddress.ip_address(text.partition("%")[0])):
            return text
    raise OSError(f"{address} leads to no server's address")


PlainAddress = Annotated[str, AfterValidator(plain)]

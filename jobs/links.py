"""Which addresses a link out of an answer may lead to: public ones, and the provider's own.

A result link is only text that somebody answered. What counts is where a connection really goes, so a name is
resolved once, every address it has is judged, and the connection is made to one that was judged.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

MOST_ADDRESSES = 4
"""How many of a name's addresses are tried; a name may have any number, and each try may take its time."""

Resolve = Callable[[str, int], list[str]]
"""(host, port) -> numeric addresses. Raises OSError for a name that has none."""

Dial = Callable[[str, int, float | None], socket.socket]
"""(numeric address, port, seconds) -> a connected socket. Raises OSError."""

# IANA's registries of special-purpose addresses (RFC 6890 and its updates), multicast and reserved ones. Written
# out, since `ipaddress.is_global` has changed its mind between the Pythons this runs on.
_NOT_PUBLIC = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # the metadata of Azure's machines stands at a public number
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]
_PUBLIC_6 = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_STAND_INS = ipaddress.ip_network("198.18.0.0/15")
_OWN_NAMES = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home", ".home.arpa", ".corp", ".private")
"""Ends of names that only a private network knows (RFC 6761, 6762, 8375 and ICANN's list of collisions)."""


class LinkError(Exception):
    """A link that is not followed. The message names no more of it than its host."""


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port of an address."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Raises ValueError for an address without a host or with a port that is no number."""
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError("the address names no host")
        return cls(parts.scheme, parts.hostname.lower(), parts.port or (443 if parts.scheme == "https" else 80))


def is_public(address: str) -> bool:
    """Whether a numeric address is one of the open internet."""
    number = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        if number in _NAT64:
            # A network without IPv4 reaches the address in the last four bytes.
            return is_public(str(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)))
        if number not in _PUBLIC_6:
            return False
    return not any(number in block for block in _NOT_PUBLIC)


def check_link(url: str, trusted: Origin | None) -> Origin:
    """Where `url` leads. Raises LinkError unless that is `trusted`, or by https and without a login."""
    try:
        parts, origin = urlsplit(url), Origin.of(url)
    except ValueError as error:
        raise LinkError("the link is no address") from error
    if origin == trusted:
        return origin
    if origin.scheme != "https":
        raise LinkError("the link is not https")
    if parts.username is not None or parts.password is not None:
        raise LinkError("the link carries a login")
    return origin


def resolve_here(host: str, port: int) -> list[str]:
    """The addresses this machine knows `host` by, in the order it prefers them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def dial_here(address: str, port: int, seconds: float | None) -> socket.socket:
    connected = socket.create_connection((address, port), seconds)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


class Guard:
    """Lets connections out to public addresses alone."""

    def __init__(self, resolve: Resolve = resolve_here, dial: Dial = dial_here) -> None:
        self._resolve, self._dial = resolve, dial

    def connect(self, host: str, port: int, seconds: float | None) -> socket.socket:
        """A socket connected to an address of `host` that was judged. Raises LinkError, OSError."""
        addresses = self._resolve(host, port)
        for address in addresses:
            if not is_public(address):
                raise LinkError(_not_public(host, address))
        failed: OSError = OSError(f"{host} has no address")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return self._dial(address, port, seconds)
            except OSError as error:
                failed = error
        raise failed

    def check_behind_proxy(self, host: str, port: int) -> None:
        """Judges what can be judged where a proxy resolves names. Raises LinkError.

        A name that this machine knows must be public here too. One that it does not know must at least look like
        a public name; the rest is up to the proxy. 198.18.0.0/15 passes: programs that route by made-up addresses
        answer from it for every name, and the proxy never sees it.
        """
        name = host.rstrip(".").lower()
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            if "." not in name or f".{name}".endswith(_OWN_NAMES):
                raise LinkError(f"the link leads to {host[:100]}, which is no public name") from None
            return
        for address in addresses:
            stand_in = address != name and "." in address and ipaddress.ip_address(address) in _STAND_INS
            if not stand_in and not is_public(address):
                raise LinkError(_not_public(host, address))


def _not_public(host: str, address: str) -> str:
    named = f"{host[:100]}, at {address}" if host != address else address
    advice = ""
    if "." in address and ipaddress.ip_address(address) in _STAND_INS:
        advice = " (a VPN or proxy program makes such addresses up: set HTTPS_PROXY to its own address)"
    return f"the link leads to {named}, which is not on the open internet{advice}"

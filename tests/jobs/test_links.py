"""Links out of answers: where they may lead, and that a connection goes where the judged address is."""

from __future__ import annotations

import socket

import pytest

from kling_pack.jobs.links import MOST_ADDRESSES, Guard, LinkError, Origin, check_link, is_public, resolve_here

PUBLIC = "93.184.215.14"
GATEWAY = Origin("http", "gateway.lan", 8080)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1", "2a00:1450::1"])
def test_the_open_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "168.63.129.16", "100.100.100.200", "100.64.0.1", "192.0.0.192", "fd00:ec2::254"),
        *("192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.251", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "::127.0.0.1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe"),
        *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8"),
        *("2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "3fff::1", "fec0::1"),
    ],
)
def test_everything_else_is_not(address: str) -> None:
    assert not is_public(address)


def test_behind_nat64_the_address_inside_counts() -> None:
    assert is_public("64:ff9b::8.8.8.8")


# The text of a link.


@pytest.mark.parametrize(
    "link", ["https://cdn.example/a.png?sig=1", "https://cdn.example:8443/", "HTTPS://cdn.example"]
)
def test_https_may_lead_on(link: str) -> None:
    assert check_link(link, GATEWAY).scheme == "https"


@pytest.mark.parametrize(
    "link",
    [
        *("http://cdn.example/a", "ftp://cdn.example/a", "file:///etc/passwd", "data:image/png;base64,AA", "//cdn/a"),
        *(
            "",
            "a.png",
            "https://",
            "https://cdn:port/",
            "https://[::1",
            "https://user:word@cdn.example/",
            "https://u@c.d",
        ),
        *("http://gateway.lan/", "http://gateway.lan:8081/", "ftp://gateway.lan:8080/", "http://gateway.lan.:8080/"),
    ],
)
def test_nothing_else_does(link: str) -> None:
    with pytest.raises(LinkError):
        check_link(link, GATEWAY)


def test_only_the_providers_own_address_may_be_anything() -> None:
    assert check_link("http://Gateway.LAN:8080/files/a.png", GATEWAY) == GATEWAY


def test_no_message_tells_the_link() -> None:
    with pytest.raises(LinkError) as raised:
        check_link("http://cdn.example/a.png?signature=abc123", None)
    assert "abc123" not in str(raised.value)


# The connection.


class Net:
    """A name service and a network that write down what was asked of them."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self.dead: set[str] = set()

    def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        if not self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self.answers.pop(0)

    def dial(self, address: str, port: int, seconds: float | None) -> socket.socket:
        self.dialled.append(address)
        if address in self.dead:
            raise ConnectionRefusedError
        return socket.socket()

    @property
    def guard(self) -> Guard:
        return Guard(self.resolve, self.dial)


def test_a_name_is_resolved_once_and_the_judged_address_dialled() -> None:
    net = Net([PUBLIC], ["127.0.0.1"])
    net.guard.connect("pictures.example", 443, 1).close()
    assert (net.asked, net.dialled) == (["pictures.example"], [PUBLIC])


def test_a_name_that_has_turned_private_meanwhile_is_refused() -> None:
    net = Net([PUBLIC], ["127.0.0.1"])
    net.guard.connect("pictures.example", 443, 1).close()
    with pytest.raises(LinkError, match=r"127\.0\.0\.1, which is not on the open internet"):
        net.guard.connect("pictures.example", 443, 1)
    assert net.dialled == [PUBLIC]


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    net = Net([PUBLIC, "10.0.0.1"])
    with pytest.raises(LinkError):
        net.guard.connect("pictures.example", 443, 1)
    assert net.dialled == []


def test_the_next_address_is_tried_when_one_is_dead() -> None:
    net = Net(["2606:4700::1", PUBLIC])
    net.dead = {"2606:4700::1"}
    net.guard.connect("pictures.example", 443, 1).close()
    assert net.dialled == ["2606:4700::1", PUBLIC]


def test_not_every_address_of_many_is_tried() -> None:
    net = Net([f"8.8.8.{last}" for last in range(100)])
    net.dead = set(net.answers[0])
    with pytest.raises(ConnectionRefusedError):
        net.guard.connect("pictures.example", 443, 1)
    assert len(net.dialled) == MOST_ADDRESSES


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "localhost"])
def test_other_spellings_of_loopback_are_loopback(host: str) -> None:
    with pytest.raises(LinkError):
        Guard().connect(host, 443, 1)


def test_addresses_are_told_once_each() -> None:
    assert resolve_here("127.0.0.1", 443) == ["127.0.0.1"]


# Behind a proxy, which resolves for itself.


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "fd00::1"])
def test_a_name_known_here_as_private_is_not_told_to_the_proxy(address: str) -> None:
    with pytest.raises(LinkError):
        Net([address]).guard.check_behind_proxy("pictures.example", 443)


def test_a_name_known_here_as_public_is() -> None:
    Net([PUBLIC]).guard.check_behind_proxy("pictures.example", 443)


def test_a_name_unknown_here_is_left_to_the_proxy() -> None:
    Net().guard.check_behind_proxy("pictures.example", 443)


@pytest.mark.parametrize("host", ["intranet", "metadata.google.internal", "nas.local", "a.localhost", "x.home.arpa."])
def test_a_name_of_private_networks_is_not(host: str) -> None:
    with pytest.raises(LinkError, match="no public name"):
        Net().guard.check_behind_proxy(host, 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.0.0.1", "198.18.0.1", "2130706433"])
def test_neither_is_a_private_number(host: str) -> None:
    with pytest.raises(LinkError):
        Guard().check_behind_proxy(host, 443)


def test_an_address_made_up_by_a_routing_program_passes_behind_a_proxy_alone() -> None:
    Net(["198.18.0.9"]).guard.check_behind_proxy("pictures.example", 443)
    with pytest.raises(LinkError, match="set HTTPS_PROXY"):
        Net(["198.18.0.9"]).guard.connect("pictures.example", 443, 1)


# Origins.


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example/v1", Origin("https", "api.example", 443)),
        ("http://api.example:8080", Origin("http", "api.example", 8080)),
        ("http://api.example", Origin("http", "api.example", 80)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: Origin) -> None:
    assert Origin.of(url) == origin


@pytest.mark.parametrize("url", ["", "api.example", "https://", "https://a:b"])
def test_an_address_without_an_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Origin.of(url)

"""IP addresses: one form, whatever a web server or a proxy made of them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.fraud import orders
from workers.canonical import addresses
from workers.canonical.errors import Unreadable

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6).filter(lambda one: one.ipv4_mapped is None)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:41234", "198.51.100.7"),
        (" 198.51.100.7\n", "198.51.100.7"),
        ('"198.51.100.7:80"', "198.51.100.7"),
        ("198.51.100.7/32", "198.51.100.7"),
        ("１９８.５１.１００.７", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("::FFFF:c633:6407", "198.51.100.7"),
        ("[::ffff:198.51.100.7]:443", "198.51.100.7"),
        ("::ffff:198.51.100.7:443", "198.51.100.7"),
        ("2001:DB8:0:0:0:0:0:00a1", "2001:db8::a1"),
        ("[2001:db8::a1]", "2001:db8::a1"),
        ("[2001:db8::a1]:8443", "2001:db8::a1"),
        ("2001:db8:0:0:0:0:0:a1:8443", "2001:db8::a1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25en0]:80", "fe80::1"),
        ("2002:c633:6407::1", "2002:c633:6407::1"),
        ("198.51.100.7, 10.1.2.3, 203.0.113.9", "198.51.100.7"),
        ("10.1.2.3, 198.51.100.7, 203.0.113.9", "198.51.100.7"),
        ("unknown, 198.51.100.7", "198.51.100.7"),
        ("-, 198.51.100.7", "198.51.100.7"),
        ("192.168.1.4, 10.0.0.1", "192.168.1.4"),
        ("for=198.51.100.7;proto=https;by=203.0.113.9", "198.51.100.7"),
        ('For="[2001:db8:cafe::17]:4711", for=203.0.113.9', "2001:db8:cafe::17"),
        ("by=203.0.113.9; for=_hidden, for=198.51.100.7:_p", "198.51.100.7"),
    ],
)
def test_every_way_to_write_an_address_is_that_address(typed: str, address: str) -> None:
    assert addresses.canonical(typed) == address


@pytest.mark.parametrize("typed", ["unknown", "-", "", "localhost", "198.51.100", "198.51.100.07", "1.2.3.256", "0x7f"])
def test_what_is_no_address_says_what_would_be(typed: str) -> None:
    with pytest.raises(Unreadable, match="send IPv4 or IPv6"):
        addresses.canonical(typed)


@st.composite
def spelled(draw: st.DrawFn, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return one of the ways in which servers write this address."""
    if isinstance(address, ipaddress.IPv4Address):
        mapped = ipaddress.IPv6Address(0xFFFF_0000_0000 | int(address))
        text = draw(st.sampled_from([str(address), f"::ffff:{address}", mapped.exploded, str(mapped)]))
    else:
        text = draw(st.sampled_from([address.compressed, address.exploded, address.exploded.replace(":0", ":")]))
        text = text if "::" not in text or text.count("::") == 1 else address.exploded
    text = draw(st.sampled_from([text, text.upper()]))
    zone = draw(st.sampled_from(["", "%eth0", "%25en1"])) if ":" in text else ""
    port = draw(st.integers(0, 65535))
    forms = [f"{text}{zone}", f"[{text}{zone}]:{port}", f"[{text}]"] if ":" in text else [text, f"{text}:{port}"]
    text = draw(st.sampled_from(forms))
    proxies = draw(
        st.lists(st.sampled_from(["10.0.0.1", "unknown", "203.0.113.9", "-", "[2001:db8::9]:80"]), max_size=3)
    )
    listed = ", ".join([text, *proxies])
    forwarded = ", ".join(f'for="{one}"' for one in [text, *proxies])
    return draw(
        st.sampled_from(
            [listed, f" {text} ", f'"{text}"', forwarded, f"for={text};proto=http" if "[" not in text else forwarded]
        )
    )


@given(st.data(), V4 | V6)
def test_any_spelling_of_an_address_digests_equally(
    data: st.DataObject, address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    # The first that is outside stands for a list; this one has to be outside, or alone.
    typed = data.draw(spelled(address))
    if addresses._is_inside(address):
        typed = str(address)
    assert orders.digest(addresses.canonical(typed)) == orders.digest(str(address))


@given(st.text(max_size=200))
def test_whatever_is_typed_is_an_address_or_unreadable(typed: str) -> None:
    try:
        found = addresses.canonical(typed)
    except Unreadable:
        return
    assert str(ipaddress.ip_address(found)) == found == addresses.canonical(found)

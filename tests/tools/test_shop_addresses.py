from __future__ import annotations

import pytest
from assent.tools.shop.addresses import addresses_in, is_address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("send it to 15 Kelvin Steps, Glasgow G12 8LN. thanks", ["15 Kelvin Steps, Glasgow G12 8LN"]),
        ("order 2002 to 6 gardner passage, brighton bn1 1un pls", ["6 gardner passage, brighton bn1 1un"]),
        ("12a St John's Road, Stoke-on-Trent ST4 5AB!", ["12a St John's Road, Stoke-on-Trent ST4 5AB"]),
        ("(12-14 O\u2019Hara Court, Milton Keynes MK9 1ZD)", ["12-14 O\u2019Hara Court, Milton Keynes MK9 1ZD"]),
        ("3 Beck Row, Askrigg, Leyburn DL8 3HT", ["3 Beck Row, Askrigg, Leyburn DL8 3HT"]),
        ("1 New Rd, London W1A 1AA or 2 Old Rd, Hull HU1 2BB", ["1 New Rd, London W1A 1AA", "2 Old Rd, Hull HU1 2BB"]),
        ("1 New Rd, London W1A 1AA, yes 1 New Rd, London W1A 1AA", ["1 New Rd, London W1A 1AA"]),
        ("1 New Rd,\nLondon W1A 1AA", []),
        ("to my sister in Cardiff CF10 5FE", []),
        ("1 New Rd, London W1A 1AAB", []),
        ("1 New Rd, London", []),
        ("1 Ne\u200bw Rd, London W1A 1AA", []),
        ("order 2002, 3 mugs and 4 plates", []),
        ("", []),
    ],
)
def test_addresses_are_found_exactly_as_written(text: str, found: list[str]) -> None:
    assert list(addresses_in(text)) == found
    assert all(address in text and is_address(address) for address in found)


def test_an_address_is_nothing_but_an_address() -> None:
    assert is_address("4 New Street, York YO1 7AA")
    assert not is_address("4 New Street, York YO1 7AA please")
    assert not is_address("4 " + "a" * 200 + ", York YO1 7AA")
    assert not is_address("")


def test_finding_addresses_is_quick_on_hostile_text() -> None:
    assert addresses_in("1 " + "a " * 100_000) == ()
    assert addresses_in("1 a, b " * 30_000) == ()

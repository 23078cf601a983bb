"""Which encoding a file is in: decided by its bytes, and where they say too little, refused by name."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from backports import zstd

from benchmarks.serving.load_fuzz.forms import ENCODINGS, Encoding
from workers.load import service
from workers.load.errors import EncodingError, FileError
from workers.load.options import Options
from workers.load.reading import Reading

LABELS = {
    "gb18030": "GB18030", "big5": "Big5", "shift_jis": "Shift-JIS", "euc_kr": "EUC-KR", "cp1251": "Windows-1251",
    "cp1252": "Windows-1252",
}  # fmt: skip


def _text(encoding: Encoding, lines: int = 20) -> str:
    rng = random.Random(1)
    return "item_id,title\n" + "".join(f"i{n},{' '.join(rng.choices(encoding.words, k=3))}\n" for n in range(lines))


def _read(tmp_path: Path, data: bytes, said: Options | None = None, name: str = "items.csv") -> Reading:
    path = tmp_path / name
    path.write_bytes(data)
    return service.read(path, said=said or Options())


def _titles(reading: Reading) -> list[object]:
    return [change["fields"]["title"] for change in reading.changes]  # type: ignore[index]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda one: f"{one.codec}{'-mark' if one.mark else ''}")
def test_a_file_is_read_in_its_encoding_and_says_which(tmp_path: Path, encoding: Encoding) -> None:
    text = _text(encoding)
    reading = _read(tmp_path, encoding.mark + text.encode(encoding.codec))
    assert _titles(reading) == [line.partition(",")[2] for line in text.splitlines()[1:]]
    assert str(reading.encoding).startswith(LABELS.get(encoding.codec, "UTF-"))
    assert ("byte order mark" in str(reading.encoding)) == bool(encoding.mark)


@pytest.mark.parametrize("encoding", ENCODINGS, ids=lambda one: f"{one.codec}{'-mark' if one.mark else ''}")
def test_a_damaged_character_costs_its_line_alone(tmp_path: Path, encoding: Encoding) -> None:
    lines = _text(encoding).splitlines(keepends=True)
    damage = b"\x00\xdc" if encoding.codec == "utf-16-le" else b"\xdc\x00" if encoding.mark == b"\xfe\xff" else b"\xff"
    raw = [line.encode(encoding.codec) for line in lines]
    raw[7] = raw[7].replace(",".encode(encoding.codec), ",".encode(encoding.codec) + damage)
    reading = _read(tmp_path, encoding.mark + b"".join(raw))
    if encoding.codec in ("cp1251", "cp1252"):  # a letter like any other
        assert reading.kept == 20
        return
    assert [(one.reason, one.places) for one in reading.rejected] == [("damaged character", (8,))]
    assert _titles(reading) == [line.rstrip().partition(",")[2] for line in [*lines[1:7], *lines[8:]]]


def test_the_first_chinese_character_may_stand_far_below(tmp_path: Path) -> None:
    plain = "".join(f"i{n},mug {n}\n" for n in range(50_000))
    words = next(one.words for one in ENCODINGS if one.codec == "gb18030")
    text = f"item_id,title\n{plain}" + "".join(f"j{n},{word}\n" for n, word in enumerate(words))
    for codec, label in (("gb18030", "GB18030"), ("utf-8", "UTF-8")):
        reading = _read(tmp_path, text.encode(codec))
        assert reading.encoding == label
        assert _titles(reading)[-1] == words[-1]


def test_damage_in_a_column_that_nobody_uses_costs_nothing(tmp_path: Path) -> None:
    mixed = b"item_id,note,title\n" + b"1,caf\xff,m\xc3\xbcde\n" + "2,übung,größer\n3,öl,süß\n".encode()
    reading = _read(tmp_path, mixed)
    assert (reading.encoding, reading.kept, reading.rejected) == ("UTF-8", 3, ())


def test_too_little_to_go_by_is_an_error_that_names_what_it_may_be(tmp_path: Path) -> None:
    thin = "item_id,title\n1,Škoda\n2,Mug\n".encode("cp1250")
    with pytest.raises(EncodingError, match=r"is not UTF-8.*--encoding, one of .*cp1250 \(Škoda\)"):
        _read(tmp_path, thin)
    reading = _read(tmp_path, thin, Options(encoding="cp1250"))
    assert (_titles(reading), reading.encoding) == (["Škoda", "Mug"], "cp1250 (as asked)")
    with pytest.raises(FileError, match="'klingon' is no encoding"):
        _read(tmp_path, thin, Options(encoding="klingon"))


def test_a_few_lines_that_nobody_can_read_cost_themselves_alone(tmp_path: Path) -> None:
    lines = [f"i{n},Mug {n}".encode() for n in range(500)]
    lines[7] += "Škoda".encode("cp1250")
    reading = _read(tmp_path, b"\n".join([b"item_id,title", *lines]))
    assert (reading.encoding, reading.kept) == ("UTF-8", 499)
    assert [(one.reason, one.places) for one in reading.rejected] == [("damaged character", (9,))]
    assert "--encoding, one of" in reading.notes[0]


def test_nothing_but_random_bytes_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        _read(tmp_path, b"item_id,title\n" + random.Random(1).randbytes(5_000))


def test_text_in_kana_alone_is_shift_jis(tmp_path: Path) -> None:
    reading = _read(tmp_path, "item_id,title\n1,ティーポット\n2,グラス セット\n".encode("cp932"))
    assert (reading.encoding, _titles(reading)) == ("Shift-JIS", ["ティーポット", "グラス セット"])


def test_utf_16_is_known_without_a_mark(tmp_path: Path) -> None:
    for codec in ("utf-16-le", "utf-16-be"):
        reading = _read(tmp_path, "item_id,title\n1,茶壶\n".encode(codec))
        assert _titles(reading) == ["茶壶"]
        assert "no byte order mark" in str(reading.encoding)


def test_packed_files_are_known_by_their_bytes(tmp_path: Path) -> None:
    text = "item_id,title\n1,Théière\n".encode()
    for packed in (gzip.compress(text), zstd.compress(text)):
        assert _titles(_read(tmp_path, packed)) == ["Théière"]
    with pytest.raises(FileError, match="Excel workbook"):
        _read(tmp_path, b"PK\x03\x04rest")
    with pytest.raises(FileError, match="cannot be read"):
        _read(tmp_path, gzip.compress(text * 100)[:60])


@pytest.mark.parametrize("data", [b"", b"\n\n \n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_an_empty_file_is_an_error(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(FileError, match="is empty"):
        _read(tmp_path, data)


def test_a_header_alone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="names its columns and has no lines"):
        _read(tmp_path, b"item_id,title\n\n")

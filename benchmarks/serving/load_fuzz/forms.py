"""The forms of the files that are made: 20 dialects, 10 encodings, and words that each encoding can say."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import NamedTuple


class Dialect(NamedTuple):
    """How the csv module writes a file; `ends` are used in turn."""

    separator: str
    quote: str = '"'
    quoting: int = csv.QUOTE_MINIMAL
    escape: str | None = None
    ends: tuple[str, ...] = ("\n",)

    def line(self, fields: Sequence[str], number: int) -> str:
        """Return the fields as line `number`."""
        out = io.StringIO(newline="")
        writer = csv.writer(
            out,
            delimiter=self.separator,
            quotechar=self.quote,
            quoting=self.quoting,
            escapechar=self.escape,
            doublequote=self.escape is None,
            lineterminator=self.ends[number % len(self.ends)],
        )
        writer.writerow(fields)
        return out.getvalue()


class Encoding(NamedTuple):
    """A codec, the byte order mark before the text, and words."""

    codec: str
    mark: bytes
    words: tuple[str, ...]


DIALECTS = tuple(
    dialect
    for separator in ",;\t|"
    for dialect in (
        Dialect(separator),
        Dialect(separator, quoting=csv.QUOTE_ALL, ends=("\r\n",)),
        Dialect(separator, ends=("\r",)),
        Dialect(separator, quoting=csv.QUOTE_ALL, escape="\\"),
        Dialect(separator, quote="'", quoting=csv.QUOTE_ALL, ends=("\n", "\r\n", "\r")),
    )
)

_CHINESE = (
    "手机壳 透明 智能手机 笔记本电脑 黑色 充电器 白色 红色 连衣裙 夏季 "
    "新款 茶壶 陶瓷 儿童 玩具 汽车 无线 耳机 蓝牙 键盘"
)
_TAIWANESE = (
    "手機殼 透明 智慧型手機 筆記型電腦 黑色 充電器 白色 紅色 洋裝 夏季 "
    "新款 茶壺 陶瓷 兒童 玩具 汽車 無線 耳機 藍牙 鍵盤"
)
_JAPANESE = (
    "スマホケース 透明 ノートパソコン 黒い 充電器 白い 赤い ワンピース "
    "夏の新作 急須 陶器 子供用 おもちゃ ワイヤレス イヤホン キーボード"
)
_KOREAN = (
    "스마트폰 케이스 투명 노트북 검정색 충전기 하얀 빨간 원피스 "
    "여름 신상 찻주전자 도자기 어린이 장난감 무선 이어폰 키보드"
)
_RUSSIAN = (
    "Чайник красный кружка платье летнее новое сковорода чугунная детская игрушка беспроводные наушники клавиатура"
)
_WESTERN = (
    "Töpfe grüne Teekanne Schränke für Gläser Crème brûlée élégante théière bleue señal pequeño café Müsli Größe "
    "façade Kühlschrank Bügeleisen Schlüssel Hängematte Mülleimer Gießkanne Wäschekorb bébé garçon forêt"
)
_MIXED = f"{_CHINESE} {_JAPANESE} {_KOREAN} {_RUSSIAN} {_WESTERN} Łódź ćwiartka ελληνικά שלום مرحبا नमस्ते 🍵"

ENCODINGS = (
    Encoding("utf-8", b"", tuple(_MIXED.split())),
    Encoding("utf-8", b"\xef\xbb\xbf", tuple(_MIXED.split())),
    Encoding("utf-16-le", b"\xff\xfe", tuple(_MIXED.split())),
    Encoding("utf-16-be", b"\xfe\xff", tuple(_MIXED.split())),
    Encoding("gb18030", b"", tuple(_CHINESE.split())),
    Encoding("big5", b"", tuple(_TAIWANESE.split())),
    Encoding("shift_jis", b"", tuple(_JAPANESE.split())),
    Encoding("euc_kr", b"", tuple(_KOREAN.split())),
    Encoding("cp1251", b"", tuple(_RUSSIAN.split())),
    Encoding("cp1252", b"", tuple(_WESTERN.split())),
)

"""The words that the made-up shop's titles are put together from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Department:
    """A department: what it sells with the range of prices in euro, who makes it, and what tells items apart."""

    name: str
    brands: tuple[str, ...]
    kinds: dict[str, tuple[float, float]]
    axes: dict[str, tuple[str, ...]]
    pattern: str = "{brand} {first} {noun}, {second}"


_COLOURS = ("black", "white", "sand", "sage", "navy", "rust", "plum")
_WOODS = ("oak", "walnut", "beech", "bamboo", "ash", "cherry")
_CHINESE = "{brand} {first}{second}{noun}"


def _department(name: str, brands: str, kinds: dict[str, tuple[float, float]], **axes: object) -> Department:
    values = {axis: tuple(words.split("|")) if isinstance(words, str) else words for axis, words in axes.items()}
    pattern = _CHINESE if not name.isascii() else Department.pattern
    return Department(name, tuple(brands.split("|")), kinds, values, pattern)  # type: ignore[arg-type]


DEPARTMENTS = (
    _department(
        "Coffee & tea",
        "Northbean|Kettle & Co|Morrow|Alba|Teaglen|Brewsmith",
        {
            "espresso beans 1 kg": (14, 38),
            "pour-over dripper": (12, 45),
            "hand grinder": (29, 160),
            "green tea tin": (6, 24),
            "milk frother": (15, 79),
        },
        style="classic|single origin|travel|barista|everyday|limited",
        colour=_COLOURS,
    ),
    _department(
        "Cookware",
        "Ferrum|Copperhill|Cocotte|Maison Lys|Steelmark|Hearth",
        {
            "frying pan": (19, 140),
            "saucepan": (22, 160),
            "casserole": (35, 290),
            "wok": (25, 120),
            "roasting tin": (14, 85),
        },
        material="cast-iron|stainless|enamelled|non-stick|copper|ceramic",
        size="20 cm|22 cm|24 cm|26 cm|28 cm|30 cm",
    ),
    _department(
        "Knives",
        "Kiyoshi|Edgeworth|Solveig|Tanaka|Bladesmith|Fjord",
        {
            "chef's knife": (29, 260),
            "paring knife": (9, 80),
            "bread knife": (19, 130),
            "santoku": (35, 280),
            "whetstone": (15, 95),
        },
        steel="damascus|carbon|stainless|forged|VG-10|powder",
        handle=_WOODS,
    ),
    _department(
        "Headphones & audio",
        "Sonora|Klangwerk|Auralis|Beatline|Vexo|Quiet",
        {
            "over-ear headphones": (39, 420),
            "earbuds": (19, 260),
            "bookshelf speaker": (59, 690),
            "soundbar": (79, 590),
            "record player": (89, 780),
        },
        feature="wireless|noise-cancelling|studio|compact|hi-res|open-back",
        colour=_COLOURS,
    ),
    _department(
        "Cameras",
        "Lumen|Opticon|Hasse|Obscura|Viewfinder|Noct",
        {
            "prime lens": (120, 1400),
            "tripod": (25, 380),
            "camera strap": (12, 70),
            "instant camera": (59, 240),
            "lens filter": (9, 130),
        },
        grade="compact|pro|travel|vintage|weather-sealed|carbon",
        mount="35 mm|50 mm|58 mm|67 mm|77 mm|82 mm",
    ),
    _department(
        "Cycling",
        "Velodrome|Peloton|Sprocket|Alpe|Gravelle|Tempo",
        {
            "helmet": (35, 240),
            "bib shorts": (39, 210),
            "pannier bag": (29, 150),
            "front light": (15, 120),
            "multitool": (9, 55),
        },
        ride="road|gravel|commuter|mountain|touring|winter",
        colour=_COLOURS,
    ),
    _department(
        "Running",
        "Stride|Fleetfoot|Corsa|Altus|Paceline|Zephyr",
        {
            "running shoes": (59, 250),
            "running vest": (25, 160),
            "split shorts": (19, 75),
            "head torch": (15, 110),
            "merino socks": (8, 28),
        },
        ground="trail|road|track|ultra|winter|recovery",
        colour=_COLOURS,
    ),
    _department(
        "Camping",
        "Basecamp|Tundra|Larch|Summit & Sons|Nomad|Firn",
        {
            "two-person tent": (79, 620),
            "down sleeping bag": (89, 540),
            "gas stove": (19, 160),
            "sleeping mat": (25, 210),
            "dry bag": (9, 48),
        },
        season="ultralight|three-season|four-season|family|winter|compact",
        colour=_COLOURS,
    ),
    _department(
        "Yoga",
        "Asana|Lotus & Lime|Stillwater|Prana Works|Balance|Ommi",
        {
            "yoga mat": (19, 120),
            "cork block": (8, 32),
            "meditation cushion": (22, 85),
            "leggings": (25, 110),
            "foam roller": (12, 60),
        },
        feel="soft|grippy|travel|natural|extra-thick|recycled",
        colour=_COLOURS,
    ),
    _department(
        "Garden",
        "Greenthumb|Spade & Fork|Hedgerow|Terracotta|Wildbed|Orchard",
        {
            "secateurs": (12, 85),
            "watering can": (9, 70),
            "raised bed": (39, 240),
            "plant pot": (5, 65),
            "wildflower seeds": (2, 12),
        },
        finish="galvanised|cedar|glazed|heritage|self-watering|lightweight",
        size="small|medium|large|tall|set of 2|set of 3",
    ),
    _department(
        "Furniture",
        "Nordlys|Bauhaus & Daughters|Hygge|Plank|Atelier 9|Roost",
        {
            "armchair": (149, 1200),
            "bookcase": (79, 690),
            "side table": (39, 320),
            "desk": (119, 980),
            "bar stool": (49, 290),
        },
        wood=_WOODS,
        colour=_COLOURS,
    ),
    _department(
        "Lighting",
        "Glow|Filament|Halo & Sons|Lumière|Brightside|Dusk",
        {
            "pendant lamp": (35, 420),
            "floor lamp": (49, 520),
            "desk lamp": (22, 210),
            "string lights": (9, 55),
            "table lantern": (15, 120),
        },
        material="brass|paper|glass|rattan|linen|steel",
        colour=_COLOURS,
    ),
    _department(
        "Bedding",
        "Dreamwell|Lin & Co|Featherbed|Slumber|Cirrus|Nest",
        {
            "duvet cover": (29, 220),
            "pillow": (15, 130),
            "wool throw": (35, 190),
            "fitted sheet": (14, 95),
            "weighted blanket": (49, 230),
        },
        cloth="linen|percale|sateen|flannel|organic cotton|tencel",
        colour=_COLOURS,
    ),
    _department(
        "Board games",
        "Meeple House|Dice & Dragons|Cardboard Kingdom|Rook|Tableau|Tactica",
        {
            "strategy game": (25, 120),
            "party game": (12, 45),
            "card game": (8, 35),
            "cooperative game": (19, 90),
            "puzzle 1000 pieces": (9, 32),
        },
        theme="medieval|space|woodland|detective|pirate|railway",
        edition="first edition|anniversary edition|two players|family edition|expansion|travel edition",
    ),
    _department(
        "Watercolour & ink",
        "Pigment|Kolinsky|Papermill|Atelier Bleu|Inkwell|Sketchbook Co",
        {
            "watercolour set": (12, 160),
            "round brush": (4, 60),
            "cotton paper block": (9, 75),
            "fountain pen": (15, 240),
            "drawing ink": (5, 28),
        },
        grade="student|artist|pocket|studio|handmade|calligraphy",
        hue="earth tones|pastel|primary|botanical|monochrome|jewel tones",
    ),
    _department(
        "Toys",
        "Wooden Hill|Little Fox|Bricksby|Marble Run Co|Plushie|Tinkerbox",
        {
            "building blocks": (15, 95),
            "soft toy": (9, 48),
            "train set": (19, 140),
            "science kit": (14, 75),
            "balance bike": (45, 190),
        },
        theme="woodland|ocean|dinosaur|space|farm|rainbow",
        age="1+|2+|3+|4+|5+|6+",
    ),
    _department(
        "手机配件",
        "小鹿|极光|云杉|墨客|星河|未来派",
        {"手机壳": (19, 199), "充电宝": (59, 399), "数据线": (9, 99), "手机支架": (15, 129), "钢化膜": (9, 79)},
        颜色="黑色|白色|雾蓝|樱花粉|墨绿|透明",
        特点="磁吸|防摔|超薄|硅胶|快充|便携",
    ),
    _department(
        "茶与茶具",
        "青山|明月|听雨|瑞云|茗香|竹里",
        {"龙井茶": (68, 680), "普洱茶饼": (88, 980), "紫砂壶": (128, 1980), "盖碗": (39, 460), "茶盘": (79, 880)},
        风格="手工|古典|简约|旅行|礼盒|珍藏",
        产地="西湖|云南|宜兴|景德镇|福鼎|武夷",
    ),
    _department(
        "护肤",
        "花语|水漾|素颜社|白露|草本堂|悦容",
        {"保湿面霜": (59, 520), "洗面奶": (29, 180), "精华液": (89, 780), "面膜": (19, 160), "防晒霜": (49, 320)},
        成分="玫瑰|芦荟|玻尿酸|烟酰胺|绿茶|积雪草",
        肤质="干皮|油皮|敏感肌|混合肌|熟龄肌|学生党",
    ),
    _department(
        "汉服与配饰",
        "锦绣|长安记|云裳|霓裳阁|梨园|十三余韵",
        {"齐胸襦裙": (159, 980), "马面裙": (129, 860), "发簪": (19, 260), "绣花鞋": (69, 390), "团扇": (25, 210)},
        颜色="月白|朱红|天青|藕粉|鹅黄|黛紫",
        工艺="刺绣|提花|手绘|织金|印花|缂丝",
    ),
)

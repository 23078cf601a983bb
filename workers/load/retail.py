"""Read the UCI Online Retail file (and its second edition): invoice lines become purchases and a catalogue.

Every line is kept, or counted under the first of these reasons that applies:

- *unreadable*: the invoice, the product code, the time, the quantity or the price is missing or invalid;
- *cancellation*: the invoice number starts with C;
- *not a product*: postage, carriage, fees, discounts, vouchers, samples, adjustments, test codes;
- *quantity not positive*, *price not positive*: corrections of stock, gifts, write-offs;
- *no customer*: no taste can be learnt from it. Most such lines are on collective invoices of hundreds of lines, which
  are no baskets: using them as sessions was measured and made "bought together" worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from workers.load import categories, columns, fields, identities, items, options
from workers.load.columns import Accepted
from workers.load.errors import ColumnError
from workers.load.files import LINE, Source
from workers.load.options import Options
from workers.load.reading import EVENT_COLUMNS, Reading, judge
from workers.load.values import nulls, numbers, times

FORMAT = "retail"

ACCEPTED: Accepted = {
    "invoice": ("invoiceno", "invoice"),
    "code": ("stockcode",),
    "description": ("description",),
    "quantity": ("quantity",),
    "at": ("invoicedate",),
    "price": ("unitprice", "price"),
    "customer": ("customerid",),
    "country": ("country",),
}
# Codes that are booked like products but are none. A code without a digit is no product either, except DCGS….
_NOT_PRODUCTS = r"^(POST|DOT|M|D|B|S|C2|PADS|CRUK|AMAZONFEE|BANK CHARGES|GIFT.*|TEST.*|ADJUST.*)$"
_CURRENCY = "GBP"


def recognises(header: Sequence[str]) -> bool:
    """Return whether a file with these columns is one."""
    return {"code", "at", "quantity"} <= columns.known(header, ACCEPTED)


def accepted(source: Source) -> Accepted:
    """Return the columns to read. Raises `ColumnError` where one is missing."""
    missing = [names[0] for ours, names in ACCEPTED.items() if ours not in columns.known(source.header, ACCEPTED)]
    if missing:
        raise ColumnError(
            f"{source.path}: an Online Retail file needs a column {missing[0]!r} too; it has {', '.join(source.header)}"
        )
    return ACCEPTED


def read(frame: pl.DataFrame, path: Path, *, now: datetime | None = None, said: Options = options.NONE) -> Reading:
    """Return the file's lines as purchases, one per line: the shopper is the customer, the session the invoice.

    The event ids name the invoice, the code and how often the code stood on the invoice before, so that a second
    load, also of a longer file, writes nothing twice. The time is that of the invoice's first line; times have no
    offset in the file and are taken as UTC. The second edition writes the month first.
    """
    if said.is_day_first is None:
        said = said._replace(is_day_first=False)
    cleared = nulls.cleared(
        frame, ("invoice", "code", "description", "customer", "country"), ("quantity", "at", "price")
    )
    unified = identities.unified(cleared, ("invoice", "code", "customer"))
    kept, rejected = judge(_typed(unified, said), _rules(now), frame)
    # A few invoices were keyed in over a minute or two: all of it is one basket, of one moment.
    kept = kept.with_columns(at=pl.col("at").min().over("invoice", "customer"))
    return Reading(path, FORMAT, frame.height, rejected, _purchases(kept), tuple(_changes(_catalogue(kept))))


def _typed(lines: pl.DataFrame, said: Options) -> pl.DataFrame:
    return lines.with_columns(
        at=times.read(lines["at"], is_day_first=said.is_day_first).values,
        quantity=numbers.read(lines["quantity"], is_decimal_comma=said.is_decimal_comma).values,
        price=numbers.read(lines["price"], is_decimal_comma=said.is_decimal_comma, is_money=True).values,
        customer=pl.col("customer").str.replace(r"\.0$", ""),
        code=pl.col("code").str.to_uppercase(),
    ).with_columns(nth=pl.int_range(pl.len()).over("invoice", "code"), money=pl.col("quantity") * pl.col("price"))


def _rules(now: datetime | None) -> dict[str, pl.Expr]:
    code = pl.col("code")
    broken = [pl.col(name).is_null() for name in ("invoice", "code", "at", "quantity", "price")]
    broken += [fields.bad_id(name, 50) for name in ("invoice", "code", "customer")]
    broken += [pl.col("quantity") > 1e9, pl.col("money").abs() > 1e12, fields.out_of_range("at", now)]
    return {
        "unreadable": pl.any_horizontal(broken),
        "cancellation": pl.col("invoice").str.contains("^[Cc]"),
        "not a product": code.str.contains(_NOT_PRODUCTS) | ~code.str.contains(r"\d|^DCGS"),
        "quantity not positive": pl.col("quantity") <= 0,
        "price not positive": pl.col("price") <= 0,
        "no customer": pl.col("customer").is_null(),
    }


def _purchases(lines: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("country").is_not_null() & (pl.col("country") != "Unspecified") & ~fields.bad_word("country")
    columns = {
        "event_id": pl.concat_str(pl.lit("retail"), "invoice", "code", "nth", separator=":"),
        "shopper": pl.col("customer"),
        "kind": pl.lit("purchase"),
        "item_id": pl.col("code"),
        "value": pl.col("money").round(2),
        "session_id": pl.col("invoice"),
        "context": pl.when(known).then(pl.struct("country").struct.json_encode()),
    }
    absent = {name: pl.lit(None, kind) for name, kind in EVENT_COLUMNS.items() if name not in lines.columns}
    return lines.select((absent | columns).get(name, pl.col(name)).alias(name) for name in EVENT_COLUMNS)


def _catalogue(lines: pl.DataFrame) -> pl.DataFrame:
    """Return a row per product: its most frequent description as title, its latest price, when it was sold."""
    products = (
        lines.sort("at", LINE)
        .group_by("code")
        .agg(
            title=pl.col("description").drop_nulls().mode().sort().first(),
            price=pl.col("price").last(),
            first=pl.col("at").first(),
            last=pl.col("at").last(),
        )
    )
    titles = products["title"].str.replace_all(r"\s+", " ").fill_null(products["code"])
    titles = titles.str.to_lowercase().str.replace(r"^\W+", "").str.slice(0, 1000)
    return products.with_columns(
        title=titles.str.slice(0, 1).str.to_uppercase() + titles.str.slice(1),
        category=pl.Series(categories.from_titles(titles.to_list()), dtype=pl.String),
    ).sort("code")


def _changes(products: pl.DataFrame) -> Iterator[dict[str, object]]:
    """Yield two changes per product: announced when first sold, and its fields as of when it was last sold."""
    for code, title, price, first, last, category in products.iter_rows():
        yield items.upsert(code, first, title=title)
        yield items.upsert(code, last, title=title, price=price, currency=_CURRENCY, category=category)

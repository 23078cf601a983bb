import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.text import tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red Shoes, size 42!", ["red", "shoes", "size", "42"]),
        ("", []),
        ("don't STOP", ["don't", "stop"]),
        ("红茶", ["红", "茶", "红茶"]),
        ("iPhone手机壳 15", ["iphone", "手", "机", "壳", "手机", "机壳", "15"]),
        ("ＡＢＣ１２", ["abc12"]),
        ("café", ["café"]),
        ("snake_case", ["snake", "case"]),
        ("मोबाइल फ़ोन", ["मोबाइल", "फ़ोन"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("머그컵 300ml", ["머그컵", "머그", "그컵", "300ml"]),
        ("เสื้อเด็ก", ["เสื้อ", "เด็ก", "~เสื้", "~สื้อ", "~อเ", "~เด็", "~ด็ก"]),
    ],
)
def test_tokens_of_known_texts(text, expected):
    assert tokens.tokens(text) == expected


@given(st.text(st.characters()))
def test_any_string_has_tokens_that_hash(text):
    hashed_NxT = tokens.hash_tokens([text], width=4, buckets=7)
    assert hashed_NxT.shape == (1, 4)
    assert ((hashed_NxT >= 0) & (hashed_NxT <= 7)).all()


def test_a_lone_surrogate_hashes():
    assert tokens.bucket("\ud800", buckets=7) in range(1, 8)


def test_the_hash_is_the_same_in_another_process():
    call = "tokens.hash_tokens(['red 红茶'], width=5, buckets=1000).tolist()"
    script = f"from model.text import tokens; print({call})"
    other = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    assert other.stdout.strip() == str(tokens.hash_tokens(["red 红茶"], width=5, buckets=1000).tolist())


def test_rows_are_padded_and_cut_to_the_width():
    hashed_NxT = tokens.hash_tokens(["a", "a b c d", "a a a"], width=3, buckets=100)
    assert np.count_nonzero(hashed_NxT, 1).tolist() == [1, 3, 1]
    assert hashed_NxT.dtype == np.int32

import numpy as np
import pytest

from model import batching


@pytest.mark.parametrize(("n", "bucket"), [(0, 8), (8, 8), (9, 32), (32, 32)])
def test_the_smallest_bucket_that_holds(n, bucket):
    assert batching.bucket_of(n, (8, 32)) == bucket


def test_a_batch_above_every_bucket_says_what_to_do():
    with pytest.raises(ValueError, match="split the batch"):
        batching.bucket_of(33, (8, 32))


@pytest.mark.parametrize(("n", "power"), [(0, 1), (1, 1), (2, 2), (3, 4), (1024, 1024), (1025, 2048)])
def test_powers_of_two(n, power):
    assert batching.power_of_two(n) == power
    assert batching.power_of_two(n, least=512) == max(power, 512)


def test_tiles_cover_everything_once():
    assert list(batching.tiles(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(batching.tiles(0, 2)) == []


def test_padding_keeps_the_type():
    padded = batching.pad_rows(np.ones((2, 3), np.float32), 4, -1)
    assert padded.dtype == np.float32
    assert padded.tolist() == [[1, 1, 1], [1, 1, 1], [-1, -1, -1], [-1, -1, -1]]
    assert batching.pad_lists([[1], []], rows=3, width=2, fill=9, dtype=np.int32).tolist() == [
        [1, 9],
        [9, 9],
        [9, 9],
    ]

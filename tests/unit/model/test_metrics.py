import math
import subprocess
import sys

import numpy as np
import pytest

from model import metrics

# Three users: a hit at rank 2; hits at ranks 1 and 3 of three true items; none.
HITS = metrics.hits([["a", "b", "c"], ["d", "e", "f"], ["g", "h"]], [{"b"}, {"d", "f", "z"}, {"q"}], 3)
RELEVANT = np.array([1, 3, 1])


def test_hits_pads_short_rankings_with_misses():
    assert HITS.tolist() == [[False, True, False], [True, False, True], [False, False, False]]


@pytest.mark.parametrize(("k", "expected"), [(1, [0, 1, 0]), (2, [1, 1, 0]), (3, [1, 1, 0])])
def test_hit_rate(k, expected):
    assert metrics.hit_rate(HITS, k).tolist() == expected


def test_ndcg():
    second, third = 1 / math.log2(3), 1 / math.log2(4)
    expected = [second, (1 + third) / (1 + second + third), 0]
    assert metrics.ndcg(HITS, 3, RELEVANT) == pytest.approx(expected)
    assert metrics.ndcg(HITS, 2, RELEVANT) == pytest.approx([second, 1 / (1 + second), 0])
    assert metrics.ndcg(HITS[:1], 3) == pytest.approx([second])


def test_mrr():
    assert metrics.mrr(HITS, 3).tolist() == [0.5, 1, 0]
    assert metrics.mrr(HITS, 1).tolist() == [0, 1, 0]


def test_precision_and_recall():
    assert metrics.precision(HITS, 3) == pytest.approx([1 / 3, 2 / 3, 0])
    assert metrics.recall(HITS, 3, RELEVANT) == pytest.approx([1, 2 / 3, 0])
    assert metrics.precision(HITS, 5) == pytest.approx([1 / 5, 2 / 5, 0])


def test_coverage_leaves_padding_out():
    assert metrics.coverage(np.array([[0, 1], [1, -1]]), 8) == 0.25


def test_roc_auc():
    labels = np.array([True, False, True, False])
    assert metrics.roc_auc(labels, np.array([0.9, 0.1, 0.4, 0.4])) == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert metrics.roc_auc(labels, np.array([1.0, 0.0, 1.0, 0.0])) == 1.0
    with pytest.raises(ValueError, match="both classes"):
        metrics.roc_auc(np.array([True, True]), np.array([1.0, 2.0]))


def test_average_precision_counts_a_tie_as_one_threshold():
    labels = np.array([True, False, True, False])
    assert metrics.average_precision(labels, np.array([0.9, 0.8, 0.7, 0.7])) == pytest.approx(0.5 * 1 + 0.5 * 2 / 4)
    assert metrics.average_precision(labels, np.array([0.9, 0.1, 0.8, 0.1])) == 1.0
    with pytest.raises(ValueError, match="at least one positive"):
        metrics.average_precision(np.array([False]), np.array([1.0]))


def test_a_process_that_computes_no_area_does_not_load_scikit_learn():
    program = "import sys, model.metrics, workers.fraud.training.gate; assert 'sklearn' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

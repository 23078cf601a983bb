import numpy as np
import pytest

from model.recommend.evaluation import beyond_accuracy
from model.recommend.items import ItemFeatures


def features(labels, words=((0,),) * 4):
    return ItemFeatures(
        rows_N=np.zeros(len(labels), np.int32),
        text_NxT=np.array(words, np.int32),
        labels_NxF=np.zeros((len(labels), 2), np.int32),
        attributes_NxA=np.array(labels, np.int32),
        price_NxP=np.zeros((len(labels), 3), np.float32),
    )


def test_the_area_is_the_share_of_others_below_the_true_item_and_ties_count_half():
    scores = [np.array([0.9, 0.5, 0.5, 0.1, 2.0]), np.array([1.0, 2.0, 3.0, 4.0, 5.0])]
    area = beyond_accuracy.roc_auc(scores, [np.array([1]), np.array([0])], [np.array([4]), np.array([], int)])
    assert area == pytest.approx(np.mean([(1 + 0.5) / 3, 0.0]))


def test_cases_without_a_true_item_have_no_area():
    scores = [np.array([1.0, 2.0])] * 2
    assert beyond_accuracy.roc_auc(scores, [np.array([], int), np.array([1])], [np.array([], int)] * 2) == 1.0
    assert np.isnan(beyond_accuracy.roc_auc(scores[:1], [np.array([], int)], [np.array([], int)]))


def test_novelty_is_the_surprise_of_what_is_shown_in_bits():
    counts = np.array([8.0, 4.0, 2.0, 2.0, 0.0])
    assert beyond_accuracy.novelty([np.array([0]), np.array([2])], counts) == pytest.approx((1 + 3) / 2)
    assert beyond_accuracy.novelty([np.array([4, 0])], counts, k=1) == pytest.approx(4.0)


def test_diversity_is_one_less_the_mean_overlap_of_labels():
    made = features([[1, 2], [1, 3], [4, 0], [1, 2]])
    assert beyond_accuracy.diversity([np.array([0, 1])], made) == pytest.approx(1 - 1 / 3)
    assert beyond_accuracy.diversity([np.array([0, 3])], made) == 0.0
    assert beyond_accuracy.diversity([np.array([0, 1, 2])], made) == pytest.approx(1 - (1 / 3 + 0 + 0) / 3)
    assert np.isnan(beyond_accuracy.diversity([np.array([0])], made))


def test_words_stand_in_where_no_item_has_a_label():
    made = features([[0], [0], [0], [0]], words=[[5, 6], [5, 0], [7, 0], [6, 5]])
    assert beyond_accuracy.diversity([np.array([0, 1])], made) == pytest.approx(0.5)
    assert beyond_accuracy.diversity([np.array([0, 3])], made) == 0.0

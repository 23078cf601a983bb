"""Cross-entropy of the next item, over the whole catalogue or a shared sample of it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def weighted_mean(losses: Float[Array, "*S"], weights: Float[Array, "*S"]) -> Float[Array, ""]:
    """The mean of `losses` under `weights`; 0 if all weights are 0. A loss without weight may be infinite."""
    return (jnp.where(weights > 0, losses, 0.0) * weights).sum() / jnp.maximum(weights.sum(), 1e-6)


def full_logits(
    users_MxD: Float[Array, "M D"],
    items_NxD: Float[Array, "N D"],
    among_N: Bool[Array, " N"],
    *,
    bfloat16: bool = False,
) -> Float[Array, "M N"]:
    """Each row's logits of all items; -inf where `among_N` is False."""
    return jnp.where(among_N[None, :], _products(users_MxD, items_NxD, bfloat16=bfloat16), -jnp.inf)


def sampled_logits(
    users_MxD: Float[Array, "M D"],
    true_MxD: Float[Array, "M D"],
    targets_M: Int[Array, " M"],
    negatives_KxD: Float[Array, "K D"],
    negatives_K: Int[Array, " K"],
    log_rate_K: Float[Array, " K"],
    *,
    bfloat16: bool = False,
) -> Float[Array, "M 1+K"]:
    """Each row's logit of its target, in column 0, and of negatives shared by all rows.

    `log_rate_K` is the logarithm of how often each negative is expected in the sample; subtracting it makes the sampled
    sum an unbiased estimate of the full one (Bengio and Senécal 2008, IEEE TNN 19(4)). A negative that is the row's own
    target is left out.
    """
    logits_MxK = _products(users_MxD, negatives_KxD, bfloat16=bfloat16) - log_rate_K[None, :]
    logits_MxK = jnp.where(targets_M[:, None] == negatives_K[None, :], -jnp.inf, logits_MxK)
    true_M = (users_MxD * true_MxD).sum(-1)
    return jnp.concatenate([true_M[:, None], logits_MxK], 1)


def cross_entropy(logits_MxN: Float[Array, "M N"], targets_M: Int[Array, " M"]) -> Float[Array, " M"]:
    """Each row's cross-entropy of its target column."""
    target_M = jnp.take_along_axis(logits_MxN, targets_M[:, None], 1)[:, 0]
    return jax.nn.logsumexp(logits_MxN, 1) - target_M


def distillation(teacher_MxN: Float[Array, "M N"], logits_MxN: Float[Array, "M N"]) -> Float[Array, " M"]:
    """Each row's divergence from the teacher's logits of the same columns (Hinton et al. 2015, arXiv 1503.02531).

    The Kullback-Leibler divergence, 0 if both are equal. Both have -inf in the same places.
    """
    open_MxN = teacher_MxN > -jnp.inf
    said_MxN = jax.nn.softmax(teacher_MxN, 1)
    apart_MxN = jax.nn.log_softmax(teacher_MxN, 1) - jax.nn.log_softmax(logits_MxN, 1)
    return jnp.where(open_MxN, said_MxN * jnp.where(open_MxN, apart_MxN, 0.0), 0.0).sum(1)


def _products(users_MxD: Array, items_NxD: Array, *, bfloat16: bool) -> Float[Array, "M N"]:
    """All inner products; with `bfloat16` of rounded vectors, summed in float32."""
    if bfloat16:
        users_MxD, items_NxD = users_MxD.astype(jnp.bfloat16), items_NxD.astype(jnp.bfloat16)
    return jnp.matmul(users_MxD, items_NxD.T, preferred_element_type=jnp.float32)

import dataclasses

import jax
import numpy as np
import pytest

from model import artifact, compilations, metrics
from model.errors import ArtifactError, ConfigError
from model.fraud import config, drift, weights
from model.fraud.detector import anomaly, attack, detector, encoding, fitting, network, step
from model.fraud.detector.attack import Attack


def test_it_finds_all_three_kinds_of_fraud(trained, tested):
    scores_N = detector.logits(trained, tested.values_NxF)
    base = tested.frauds_N.mean()
    assert metrics.average_precision(tested.frauds_N, scores_N) > max(0.5, 8 * base)
    amounts_N = tested.values_NxF[:, trained.names.index("amount")]
    assert scores_N[amounts_N > 220].mean() > scores_N.mean() + 2


def test_probabilities_come_true_on_orders_that_nobody_learned(trained, tested):
    said_N = detector.probabilities(trained, tested.values_NxF)
    assert 0.6 < tested.frauds_N.mean() / said_N.mean() < 1.6
    assert np.array_equal(np.argsort(said_N), np.argsort(detector.logits(trained, tested.values_NxF)))


@pytest.mark.parametrize("imbalance", config.IMBALANCES)
@pytest.mark.parametrize("members", [("network",), ("trees",)])
def test_each_member_learns_under_each_imbalance(simulated, tested, tiny, imbalance, members):
    rows = simulated.split.train
    tried = dataclasses.replace(tiny, members=members, imbalance=imbalance)
    fitted = detector.fit(
        simulated.known.take(rows), simulated.frauds_N[rows], simulated.found.customer_N[rows], tried, calibrated=False
    )
    found = metrics.average_precision(tested.frauds_N, detector.logits(fitted, tested.values_NxF))
    assert found > 2 * tested.frauds_N.mean()


def test_the_first_step_is_pinned(simulated, tiny):
    rows = simulated.split.train[:256]
    values_NxF, frauds_N = simulated.known.values_NxF[rows], simulated.frauds_N[rows]
    edges_FxK = encoding.edges(values_NxF, frauds_N, quantiles=tiny.quantiles, splits=tiny.splits)
    params = network.initial(tiny, simulated.known.groups, edges_FxK.shape[1], rate=0.05, seed=0)

    def loss_at(params):
        logits_B = network.logits(tiny, simulated.known.groups, params, edges_FxK, values_NxF.astype(np.float32))
        return step.losses(tiny, logits_B, frauds_N.astype(np.float32)).mean()

    loss, gradients = jax.value_and_grad(loss_at)(params)
    norm = sum(float((gradient**2).sum()) for gradient in gradients.values()) ** 0.5
    assert (float(loss), norm) == pytest.approx((0.165726, 0.129159), rel=1e-3), (
        "The first step's loss and gradient norm changed. If the features, the codes, the network or the loss were "
        "meant to change, put the new figures here and say why in the commit; otherwise this is a defect."
    )


def test_one_group_that_is_sure_is_enough():
    logits_BxG = np.array([[9.0, -9.0], [-9.0, 9.0], [-9.0, -9.0], [-80.0, -80.0]], np.float32)
    found = np.asarray(network.noisy_or(logits_BxG))
    assert found[:2] == pytest.approx([9.0, 9.0], abs=0.05)
    assert found[2] == pytest.approx(-9.0 + np.log(2), abs=0.01)
    assert np.isfinite(found).all()


def test_codes_pass_edges_one_after_the_other():
    values_NxF = np.concatenate([np.linspace(0, 1, 400), np.full(20, 5.0)])[:, None]
    frauds_N = values_NxF[:, 0] > 0.9
    edges_FxK = encoding.edges(values_NxF, frauds_N, quantiles=3, splits=1)
    assert np.isclose(edges_FxK, 0.9, atol=0.01).sum() == 2
    codes_NxFxK = np.asarray(encoding.encoded(np.array([[-1.0], [0.95], [7.0]], np.float32), edges_FxK))
    assert codes_NxFxK[0].max() == 0
    assert (np.diff(codes_NxFxK[:, 0], axis=0) >= 0).all()


def test_an_update_learns_what_is_new_and_drops_the_oldest_forest(simulated, trained, tested, tiny):
    rows = simulated.split.test[:600]
    after = detector.update(trained, simulated.known.take(rows), simulated.frauds_N[rows], tiny, seed=1)
    assert after.forests != trained.forests
    assert len(after.forests) == len(trained.forests)
    before, now = (
        metrics.average_precision(simulated.frauds_N[rows], detector.logits(one, simulated.known.values_NxF[rows]))
        for one in (trained, after)
    )
    assert now > before


def test_a_saved_detector_says_the_same(trained, tested, tmp_path):
    artifact.save(tmp_path / "fraud", weights.to_artifact(trained, metrics={"average_precision": 0.5}))
    read = weights.from_artifact(artifact.load(tmp_path / "fraud"))
    said_N, reads_N = (detector.probabilities(one, tested.values_NxF) for one in (trained, read))
    assert np.array_equal(said_N, reads_N)


def test_a_detector_of_other_features_is_refused(trained):
    saved = weights.to_artifact(trained._replace(names=("amount", "shoe size")))
    with pytest.raises(ArtifactError, match="train it again"):
        weights.from_artifact(saved)
    with pytest.raises(ArtifactError, match="kind 'recommend'"):
        weights.from_artifact(dataclasses.replace(saved, kind="recommend"))


def test_batches_of_any_size_compile_a_few_programs_and_score_alike(trained, tested):
    whole_N = detector.logits(trained, tested.values_NxF[:100])
    for size in (1, 7, 16, 33):
        detector.logits(trained, tested.values_NxF[:size])
    before = compilations.counter().count
    for size in (2, 9, 15, 40):
        assert detector.logits(trained, tested.values_NxF[:size]) == pytest.approx(whole_N[:size], abs=1e-4)
    assert compilations.counter().count == before


def test_an_attack_changes_the_amount_and_what_follows_from_it(simulated):
    rows = simulated.split.train[:50]
    found_RxVxF = attack.variants(simulated.found, rows, Attack((1.0, 0.5), (0, 3600)), config.preset().features)
    names = simulated.known.names
    assert np.array_equal(found_RxVxF[:, 0], simulated.known.values_NxF[rows])
    for name in ("amount", "customer_odd"):
        column = names.index(name)
        assert found_RxVxF[:, 2, column] == pytest.approx(found_RxVxF[:, 0, column] / 2, rel=0.1)
    run = names.index("terminal_run_least_odd")
    assert np.array_equal(found_RxVxF[:, 2, run], found_RxVxF[:, 0, run])


def test_adversarial_training_sees_through_its_attack(simulated, tiny):
    rows = simulated.split.train
    known, frauds_N, customer_N = simulated.known.take(rows), simulated.frauds_N[rows], simulated.found.customer_N[rows]
    strong = Attack((1.0, 0.6), (0,))
    variants_RxVxF = attack.variants(simulated.found, rows[frauds_N], strong, tiny.features)
    plain = detector.fit(known, frauds_N, customer_N, tiny, calibrated=False)
    hard = attack.fit(known, frauds_N, customer_N, variants_RxVxF, dataclasses.replace(tiny, adversarial=1))
    guilty = simulated.split.test[simulated.frauds_N[simulated.split.test]]
    open_to_RxVxF = attack.variants(simulated.found, guilty, strong, tiny.features)
    genuine_NxF = simulated.known.values_NxF[simulated.split.test[~simulated.frauds_N[simulated.split.test]]]
    found = []
    for one in (plain, hard):
        chosen = attack.lowest(one, open_to_RxVxF)
        evading_RxF = open_to_RxVxF[np.arange(len(guilty)), chosen]
        scores = np.append(detector.logits(one, evading_RxF), detector.logits(one, genuine_NxF))
        found.append(metrics.average_precision(np.arange(len(scores)) < len(guilty), scores))
    assert found[1] > found[0]


def test_what_was_never_seen_is_strange_without_labels(simulated):
    density = anomaly.fit(simulated.known.values_NxF)
    typical_F = np.median(simulated.known.values_NxF, axis=0)
    strange_F = typical_F.copy()
    strange_F[simulated.known.names.index("customer_odd")] *= 50
    scores_2 = anomaly.scores(density, np.stack([typical_F, strange_F]))
    assert scores_2[1] > scores_2[0] + 5


def test_drift_is_named_where_it_is(simulated, trained):
    rows = simulated.split.train
    known = drift.reference(trained, simulated.known.values_NxF[rows])
    assert drift.moved(known, trained, simulated.known.values_NxF[rows]) == {}
    moved_NxF = simulated.known.values_NxF[rows].copy()
    moved_NxF[:, trained.names.index("hour")] = 3
    found = drift.moved(known, trained, moved_NxF)
    assert "hour" in found
    assert "amount" not in found


def test_unknown_options_name_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'epochs'"):
        config.preset(epoch=3)
    with pytest.raises(ConfigError, match="did you mean 'focal'"):
        config.preset(imbalance="focl")
    read = config.from_json(config.to_json(config.preset("network", hidden=7)))
    assert read == config.preset("network", hidden=7)


def test_the_same_seed_gives_the_same_network(simulated, tiny):
    rows = simulated.split.train
    values_NxF, frauds_N = simulated.known.values_NxF[rows], simulated.frauds_N[rows]
    one, other = (
        fitting.fit(values_NxF, frauds_N, np.ones(len(rows)), simulated.known.groups, tiny, seed=3) for _ in range(2)
    )
    assert all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(other.params), strict=True)
    )

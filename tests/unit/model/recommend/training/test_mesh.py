"""Training on eight devices: the same losses as on one, every table in eight parts, no device that holds a whole one.

A process sees as many devices as it was started with, so these trainings run in processes of their own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys

import jax
import numpy as np
import pytest

from model.checkpoints import Checkpoints
from model.recommend import config as configs
from model.recommend import items as item_features
from model.recommend import network, packing
from model.recommend.training import mesh as meshes
from model.recommend.training import step
from tests.support import checkerboard, training

# Tables larger than what a batch looks up: XLA gathers a smaller one, because that costs less.
_ITEMS, _BUCKETS = 4000, 8191


@pytest.mark.parametrize(
    ("devices", "options"),
    [(8, {}), (3, {"negatives": 32, "batch_rows": 13, "id_decay": 0.01})],
    ids=["8 devices", "3 devices, which divide nothing"],
)
def test_the_number_of_devices_changes_no_loss(tmp_path, devices, options):
    options = {"epochs": 6, **options}
    with training.start(tmp_path / "many.npz", "--options", json.dumps(options), devices=devices) as process:
        one = training.trained(options)
        process.communicate()
    assert process.returncode == 0
    losses, params = training.read(tmp_path / "many.npz")
    np.testing.assert_allclose(losses, training.losses(one), rtol=1e-5)
    assert params.keys() == one.params.keys()
    # Not all: a bias that the softmax cancels has gradients of rounding alone, and Adam makes steps of them.
    for name in network.EMBEDDINGS:
        np.testing.assert_allclose(params[name], one.params[name], atol=1e-3, err_msg=name)


def test_a_training_on_eight_devices_goes_on_with_one(tmp_path, capsys):
    options, kept = {"epochs": 20}, tmp_path / "state"
    given = ["--options", json.dumps(options), "--checkpoint", str(kept)]
    with training.start(tmp_path / "out.npz", *given, devices=8) as process:
        assert "epoch 2\n" in iter(process.stdout.readline, "")
        process.kill()
    done = len(Checkpoints(kept).load()[1]["history"])
    assert 2 <= done < 20
    whole = training.trained(options)
    capsys.readouterr()
    resumed = training.trained(options, checkpoint=kept)
    assert capsys.readouterr().out.splitlines()[0] == f"epoch {done + 1}"
    np.testing.assert_allclose(training.losses(resumed), training.losses(whole), rtol=1e-4)


def test_each_device_holds_an_eighth_of_every_table():
    program = "from tests.unit.model.recommend.training import test_mesh; test_mesh.print_where_arrays_live()"
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=training.ROOT,
        env=training.devices_of_its_own(8),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = json.loads(run.stdout)
    assert found["parts"].keys() == set(network.EMBEDDINGS)
    for name, rows in (("items.ids", _ITEMS + 8), ("items.hashed", _BUCKETS + 1)):
        assert found["parts"][name] == [[rows // 8, 16]] * 8 * 3  # the table and its two moments, padded
    assert found["others"] == [[]]
    assert found["whole_tables"] == []


def print_where_arrays_live() -> None:
    """Compile and run an epoch on all devices; print where its state is then, and whole tables in the program."""
    config = configs.preset("tiny", negatives=64, hash_buckets=_BUCKETS)
    mesh, transform = meshes.all_devices(), step.optimizer(config)
    params = network.initial(config, _ITEMS, seed=0)
    state = meshes.Placement.for_params(mesh, params).put(step.TrainState(params, transform.init(params)))
    rows = packing.padded(packing.Rows(*(np.zeros((0, config.row), column) for column in _dtypes())), 64)
    rows = packing.Rows(*(meshes.place(column, meshes.by_rows(mesh)) for column in rows))
    features = item_features.features(checkerboard.items(_ITEMS), {}, config)
    items = step.catalogue(features, np.arange(_ITEMS), mesh=mesh)
    order_SxB, rates_S = np.zeros((2, config.batch_rows), np.int32), np.ones(2, np.float32)
    lowered = step.epoch.lower(config, transform, mesh, state, items, rows, order_SxB, rates_S, jax.random.key(0))
    program = lowered.compile()
    state, _ = program(state, items, rows, order_SxB, rates_S, jax.random.key(0))
    parts, others = {}, set()
    for path, leaf in jax.tree_util.tree_leaves_with_path(state):
        shapes = [list(shard.data.shape) for shard in leaf.addressable_shards]
        if getattr(path[-1], "key", None) in network.EMBEDDINGS:
            parts.setdefault(path[-1].key, []).extend(shapes)
        else:
            others.add(tuple(leaf.sharding.spec))
    whole = [rows for rows in (_ITEMS + 8, _BUCKETS + 1) if re.search(rf"\[{rows},16\]", program.as_text())]
    sys.stdout.write(json.dumps({"parts": parts, "others": sorted(others), "whole_tables": whole}))


def _dtypes() -> list[type]:
    return [np.float32 if name in ("seconds_RxL", "gains_RxL") else np.int32 for name in packing.Rows._fields]


def test_what_is_put_on_a_mesh_comes_back_unchanged():
    config = configs.preset("tiny")
    params = network.initial(config, 5, seed=0)
    placement = meshes.Placement.for_params(meshes.all_devices(), params)
    state = step.TrainState(params, step.optimizer(config).init(params))
    fetched = placement.fetch(placement.put(state))
    for before, after in zip(jax.tree.leaves(state), jax.tree.leaves(fetched), strict=True):
        np.testing.assert_array_equal(after, before)
        assert isinstance(after, np.ndarray)

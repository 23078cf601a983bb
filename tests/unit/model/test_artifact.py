import numpy as np
import pytest

from model import artifact
from model.errors import ArtifactError


def example() -> artifact.Artifact:
    return artifact.Artifact(
        kind="recommend",
        params={"a.b": np.arange(6, dtype=np.float32).reshape(2, 3), "c": np.array([True, False])},
        config={"dim": 2},
        ids=("x", "红茶"),
        metrics={"model": {"ndcg@10": 0.5}},
    )


def test_what_is_saved_is_loaded(tmp_path):
    digest = artifact.save(tmp_path / "v1", example())
    loaded = artifact.load(tmp_path / "v1")
    assert (loaded.kind, loaded.config, loaded.ids, loaded.metrics) == (
        "recommend",
        {"dim": 2},
        ("x", "红茶"),
        {"model": {"ndcg@10": 0.5}},
    )
    for name, value in example().params.items():
        np.testing.assert_array_equal(loaded.params[name], value)
        assert loaded.params[name].dtype == value.dtype
    assert loaded.digest == digest


def test_the_same_content_has_the_same_digest(tmp_path):
    assert artifact.save(tmp_path / "v1", example()) == artifact.save(tmp_path / "v2", example())


def test_a_folder_in_use_is_never_overwritten(tmp_path):
    artifact.save(tmp_path / "v1", example())
    with pytest.raises(ArtifactError, match="fresh name"):
        artifact.save(tmp_path / "v1", example())


def test_nothing_is_left_behind_when_saving_fails(tmp_path):
    broken = artifact.Artifact(kind="x", params={"a": np.ones(2)}, config={"no json": object()})
    with pytest.raises(TypeError):
        artifact.save(tmp_path / "v1", broken)
    assert list(tmp_path.iterdir()) == []


def test_every_damaged_file_is_noticed(tmp_path):
    artifact.save(tmp_path / "v1", example())
    for path in [path for path in (tmp_path / "v1").rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]) if whole else b"x")
        with pytest.raises(ArtifactError, match=r"v1.*restore the folder"):
            artifact.load(tmp_path / "v1")
        path.write_bytes(whole)
    artifact.load(tmp_path / "v1")


def test_a_missing_file_is_noticed(tmp_path):
    artifact.save(tmp_path / "v1", example())
    (tmp_path / "v1" / "description.json").unlink()
    with pytest.raises(ArtifactError, match=r"description\.json"):
        artifact.load(tmp_path / "v1")


def test_an_absent_folder_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"v9 does not exist; check the path"):
        artifact.load(tmp_path / "v9")
    (tmp_path / "v9").mkdir()
    with pytest.raises(ArtifactError, match="holds no saved model"):
        artifact.load(tmp_path / "v9")

"""The figures do not depend on how the images are shared out, nor on whether predictions are files or shards."""

import numpy as np
import pytest
from tests.evaluate.test_measure_files import uv_distances, write_truth  # noqa: F401 - a fixture
from tests.evaluation.people import UVDistances

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'opendensepose[scale]'")

from tests.evaluate.test_measure_files import truth_maps

from opendensepose.data.predictions import save_prediction
from opendensepose.evaluate import evaluate_files
from opendensepose.evaluation.tables import summary
from opendensepose.instance import Instance
from opendensepose.iuv import IUV
from opendensepose.scale import evaluation as module
from opendensepose.scale.evaluation import evaluate_many
from opendensepose.scale.rows import Choice, photo_row
from opendensepose.scale.shards import open_shard


def people_of(image_id):
    """The truth with U a little off, in steps that a row keeps."""
    i, u, v, person = truth_maps(image_id)
    u, v = ((np.rint(255 * part) / 255).astype(np.float32) for part in (np.clip(u + 0.02 * image_id, 0, 1), v))
    people = []
    for k in (1, 2):
        own = person == k
        maps = IUV(np.where(own, i, 0).astype(np.uint8), np.where(own, u, 0), np.where(own, v, 0))
        y, x = np.nonzero(own)
        box = np.float32([x.min(), y.min(), x.max() + 1, y.max() + 1])
        people.append(Instance(box, 0.5 + 0.1 * k, maps, own.astype(np.float32)))
    return people


@pytest.fixture
def both(tmp_path, monkeypatch):
    """Annotations, a folder of npz, and a folder of shards."""
    monkeypatch.setattr(module, "load_distances", lambda assets: UVDistances())
    truth = write_truth(tmp_path / "truth", images=5)
    (tmp_path / "npz").mkdir()
    (tmp_path / "out" / "photos").mkdir(parents=True)
    for number, image_ids in enumerate(((1, 4), (2, 3))):  # nobody labelled the fifth
        shard = open_shard("parquet", tmp_path / "out" / "photos" / f"{number:05d}.parquet")
        for image_id in image_ids:
            people = people_of(image_id)
            save_prediction(tmp_path / "npz" / f"{image_id:06d}.npz", people, people[0].iuv.size_hw)
            shard.add(str(image_id), photo_row((f"s3://x/{image_id:06d}.png", 1), (200, 300), people, Choice()))
        shard.close()
    return truth, tmp_path / "npz", tmp_path / "out"


def test_figures_are_those_of_one_process_and_of_files(both, monkeypatch):
    truth, npz, out = both
    expected = evaluate_files(npz, truth)
    monkeypatch.setattr(module, "IMAGES_OF_A_TASK", 2)
    calls = []
    for predictions in (npz, out):
        found = evaluate_many(str(predictions), str(truth), on_image=lambda *one: calls.append(one))
        assert summary(found.measures) == summary(expected.measures)
        assert [p.annotation_id for p in found.measures.people] == [p.annotation_id for p in expected.measures.people]
        assert len(found.remarks) == 1 and found.remarks[0].startswith("1 of 5 images")
    assert calls == [(2, 5), (4, 5), (5, 5)] * 2


def test_what_does_not_fit_is_one_sentence(both):
    truth, npz, out = both
    with pytest.raises(ValueError, match="the normaliser must be"):
        evaluate_many(str(out), str(truth), normaliser="none")
    with pytest.raises(FileNotFoundError, match="there is no file .*nothing.json"):
        evaluate_many(str(out), str(truth.parent / "nothing.json"))
    shard = open_shard("parquet", out / "photos" / "00002.parquet")
    shard.add("1", photo_row(("elsewhere/000001.png", 1), (200, 300), [], Choice()))
    shard.close()
    with pytest.raises(ValueError, match="two photos 000001"):
        evaluate_many(str(out), str(truth))

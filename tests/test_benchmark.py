"""The benchmark goes on where it was stopped, and does not take one model's predictions for another's."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from tests.evaluate.test_measure_files import truth_maps, write_truth
from tests.evaluation.people import UVDistances

import opendensepose.benchmark as benchmark


@pytest.fixture
def stage(monkeypatch, tmp_path):
    """Stand-ins: a set of two-person pictures, and a network that says the truth and stops when it is told to."""
    calls = SimpleNamespace(rendered=[], predicted=[], stop_after=None)

    def render_dataset(out_dir, *, count, **settings):
        calls.rendered.append((count, settings))
        if not (out_dir / "annotations.json").exists():
            out_dir.parent.mkdir(parents=True, exist_ok=True)
            truth = write_truth(out_dir, images=count)
            document = json.loads(truth.read_text())
            for image in document["images"]:
                image["file_name"] = f"{image['id']:012d}.jpg"
            truth.write_text(json.dumps(document))
        return out_dir / "annotations.json"

    def predict_files(paths, out_dir, *, model, device, min_score, on_photo, backend, overlay, workers):
        assert not overlay and model == str(calls.weights) and backend == "torch"
        out_dir.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(paths, start=1):
            if calls.stop_after == len(calls.predicted):
                raise KeyboardInterrupt
            i, u, v, person = truth_maps(int(path.stem))
            boxes = np.array([[20, 30, 110, 180], [160, 30, 250, 180]], np.float32)
            maps = {"I": i, "U": u, "V": v, "instance": person, "boxes_xyxy": boxes, "scores": np.float32([0.9, 0.8])}
            np.savez(out_dir / f"{path.stem}.npz", **maps)
            calls.predicted.append(path.stem)
            on_photo(number, len(paths), path)
        return SimpleNamespace(failures={})

    monkeypatch.setattr(benchmark, "render_dataset", render_dataset)
    monkeypatch.setattr(benchmark, "predict_files", predict_files)
    monkeypatch.setattr("opendensepose.evaluate.measure_files.load_distances", lambda assets: UVDistances())
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"some weights")
    calls.run = lambda **more: benchmark.run_benchmark(tmp_path / "out", model=str(weights), count=5, **more)
    calls.weights = weights
    return calls


def test_the_set_is_the_same_every_time(stage):
    stage.run()
    count, settings = stage.rendered[0]
    assert count == 5 and settings["seed"] == benchmark.SEED and settings["people_range"] == (1, 5)
    assert benchmark.COUNT == 500


def test_a_stopped_run_goes_on_and_a_finished_one_predicts_nothing(stage):
    stage.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        stage.run()
    stage.stop_after, seen = None, []
    evaluation, results = stage.run(on_photo=lambda *numbers: seen.append(numbers))
    assert stage.predicted == [f"{k:012d}" for k in range(1, 6)]
    assert seen == [(3, 5), (4, 5), (5, 5)]
    assert evaluation.measures.gps["kappa"].ap == pytest.approx(1)
    assert json.loads(results.read_text())["kappa"]["gps"]["ap"] == pytest.approx(1)
    again, same = stage.run()
    assert len(stage.predicted) == 5 and same == results
    np.testing.assert_array_equal(again.measures.error_m, evaluation.measures.error_m)


def test_other_weights_and_other_thresholds_have_their_own_predictions(stage):
    stage.run()
    stage.weights.write_bytes(b"other weights under the same name")
    stage.run()
    stage.run(min_score=0.4)
    assert len(stage.predicted) == 15


def test_a_photo_that_fails_is_named(stage, monkeypatch):
    failed = SimpleNamespace(failures={"7.jpg": "is broken."})
    monkeypatch.setattr(benchmark, "predict_files", lambda *a, **k: failed)
    with pytest.raises(ValueError, match="7.jpg: is broken"):
        stage.run()


def test_an_unknown_model_is_named_before_anything_is_rendered(stage, tmp_path):
    with pytest.raises(ValueError, match="nosuch"):
        benchmark.run_benchmark(tmp_path / "out", model="nosuch", count=1)
    assert stage.rendered == []

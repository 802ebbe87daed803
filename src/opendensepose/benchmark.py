"""The synthetic benchmark: a fixed set of rendered people, a model's predictions, the paper's measures.

In the folder: `set-<version>/` (the pictures, as `render` writes them), `predictions-<...>/` and `results-<...>.json`,
named by the weights, the least score and the library that ran them. Rendering and labelling resume after an
interruption.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

from opendensepose.evaluate import Evaluation, evaluate_files, write_json
from opendensepose.models.checkpoints.model_files import weights_path
from opendensepose.predict import choose_backend, predict_files
from opendensepose.render import render_dataset

__all__ = ["COUNT", "SEED", "VERSION", "predict_missing", "prediction_folder", "render_set", "run_benchmark"]

# Results can be compared only between runs of one version, which is also the renderer's.
VERSION = 1
SEED = 20_261_122
COUNT = 500
SIZE_HW = (480, 640)
PEOPLE = (1, 5)
MIN_SCORE = 0.2  # AP also ranks detections of low confidence


def run_benchmark(
    out: Path,
    *,
    model: str = "default",
    device: str | None = None,
    backend: str | None = None,
    min_score: float = MIN_SCORE,
    workers: int = 1,
    count: int = COUNT,
    on_photo: Callable[[int, int], None] | None = None,
    on_image: Callable[[int, int], None] | None = None,
) -> tuple[Evaluation, Path]:
    """Render and label the pictures that are missing, and measure; workers: processes that render and label.

    model, device, backend: see `Predictor`. on_photo, on_image(number done, total): called while labelling and while
    measuring. Returns the evaluation and the JSON file with its numbers. ValueError if the model is unknown or the
    backend cannot run it.
    """
    weights, backend = weights_path(model), choose_backend(model, device, backend)
    annotations = render_set(out, workers=workers, count=count)
    predictions = prediction_folder(out, weights, min_score, backend)
    images = annotations.parent / "images"
    predict_missing(images, predictions, model, device, min_score, count, on_photo, backend=backend, workers=workers)
    evaluation = evaluate_files(predictions, annotations, on_image=on_image)
    results = predictions.with_name(predictions.name.replace("predictions", "results", 1) + ".json")
    write_json(evaluation, results)
    return evaluation, results


def render_set(out: Path, *, workers: int = 1, count: int = COUNT) -> Path:
    """Render those of the first `count` pictures that are missing; return the annotation file."""
    folder = out / f"set-{VERSION}"
    return render_dataset(
        folder, count=count, seed=SEED, size_hw=SIZE_HW, people_range=PEOPLE, workers=workers, version=VERSION
    )


def prediction_folder(out: Path, weights: Path, min_score: float, backend: str) -> Path:
    """Name the folder of predictions by a hash of the weights file, the threshold and the backend."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]
    return out / f"predictions-{VERSION}-{digest}-{min_score:g}-{backend}"


def predict_missing(
    photos: Path,
    predictions: Path,
    model: str,
    device: str | None,
    min_score: float,
    count: int,
    on_photo: Callable[[int, int], None] | None = None,
    *,
    backend: str | None = None,
    workers: int = 1,
) -> None:
    """Label those of the first `count` photos that have no .npz yet, without overlays.

    workers: processes, on a CPU. ValueError if a photo cannot be predicted.
    """
    wanted = [photos / f"{image_id:012d}.jpg" for image_id in range(1, count + 1)]
    missing = [path for path in wanted if not (predictions / f"{path.stem}.npz").is_file()]
    if not missing:
        return

    def show(number: int, _: int, __: Path) -> None:
        if on_photo:
            on_photo(count - len(missing) + number, count)

    done = predict_files(
        missing,
        predictions,
        model=model,
        device=device,
        min_score=min_score,
        on_photo=show,
        backend=backend,
        overlay=False,
        workers=workers,
    )
    for path, sentence in done.failures.items():
        raise ValueError(f"{path}: {sentence}")

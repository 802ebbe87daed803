"""Files in, files out: photos on disk labelled, their I, U, V and a picture of them written."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch

from opendensepose.data.photos import find_photos, read_photo
from opendensepose.data.predictions import save_prediction
from opendensepose.instance import Instance
from opendensepose.models.prediction import Network
from opendensepose.predict import Predictor
from opendensepose.whole_file import whole_file

__all__ = ["PredictionSummary", "predict_files"]


@dataclass
class PredictionSummary:
    """What became of a batch of photos."""

    written: list[Path] = field(default_factory=list)  # the .npz files
    num_people: int = 0
    failures: dict[Path, str] = field(default_factory=dict)  # photo -> one sentence

    @property
    def exit_code(self) -> int:
        """0 all done, 1 some photos failed, 2 nothing was done."""
        return 0 if not self.failures else 1 if self.written else 2


def predict_files(
    paths: Sequence[str | Path],
    out_dir: str | Path,
    model: str | Path | Network = "default",
    device: str | None = None,
    min_score: float | None = None,
    on_photo: Callable[[int, int, Path], None] | None = None,
) -> PredictionSummary:
    """Label photos, or the photos in folders: write <stem>.npz and <stem>.overlay.jpg for each into out_dir.

    The npz holds I uint8 (H, W), U, V float32 (H, W), instance uint8 (H, W), boxes_xyxy float32 (N, 4), scores
    float32 (N,), and the pixels that people share, see `data.predictions`. A photo that cannot be read or labelled,
    for want of memory, say, is noted in the summary and the others are done. on_photo(number done, number of all,
    path) is called after each. ValueError, one sentence: no photos, an unknown model or device, an out_dir that
    cannot be written, two photos that would share an output name.
    """
    photos = find_photos(list(paths))
    out_dir = _checked_out_dir(Path(out_dir), photos)
    predictor = Predictor(model, device, min_score)
    summary = PredictionSummary()
    for number, path in enumerate(photos, start=1):
        try:
            image_rgb = read_photo(path)
            people = predictor(image_rgb)
            summary.written.append(_write(out_dir, path.stem, image_rgb, people))
            summary.num_people += len(people)
        except (ValueError, OSError) as error:
            summary.failures[path] = str(error)
        except (cv2.error, MemoryError, torch.OutOfMemoryError) as error:
            said = " ".join(str(error).split())
            reason = f"OpenCV says {said!r}" if isinstance(error, cv2.error) else "there is too little memory"
            summary.failures[path] = f"{path} cannot be labelled, {reason}: make it smaller."
        if on_photo:
            on_photo(number, len(photos), path)
    return summary


def _checked_out_dir(out_dir: Path, photos: Sequence[Path]) -> Path:
    """The folder, made if missing. ValueError if it cannot be written or two photos would share a name in it."""
    seen: dict[str, Path] = {}
    for path in photos:
        if path.stem in seen:
            raise ValueError(f"{seen[path.stem]} and {path} would both be written as {path.stem}.npz: rename one.")
        seen[path.stem] = path
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out_dir):
            return out_dir
    except OSError as error:
        raise ValueError(f"the output folder {out_dir} cannot be written: {error.strerror or error}.") from error


def _write(out_dir: Path, stem: str, image_rgb: np.ndarray, people: list[Instance]) -> Path:
    from opendensepose.visualize import draw_overlay

    target = out_dir / f"{stem}.npz"
    overlay = draw_overlay(image_rgb, people)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(overlay, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 92])
    with whole_file(out_dir / f"{stem}.overlay.jpg") as part:  # both files or none
        part.write_bytes(jpeg.tobytes())
        save_prediction(target, people, image_rgb.shape[:2])
    return target

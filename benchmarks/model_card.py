"""How accurate a model is by groups of people and pictures: the tables and failures of docs/model_card.md.

    python benchmarks/model_card.py FOLDER [--model NAME_OR_FILE] [--pictures 700] [--workers 2] [--page]

Renders pictures of one or two people of known sex, age, body, skin, pose and direction into FOLDER, with everything
that the renderer has and a seed that neither training nor the benchmark uses, labels them and measures their points.
Run again, it goes on where it stopped; another model needs new labels only. It prints the tables; --page also writes
them between the marks of docs/model_card.md, and draws docs/images/model_card.jpg: the five people with the lowest GPS
among those of whom at least half of the points have a label.

Intervals: 95 %, bootstrap over people. Skin: the individual typology angle of the face's colour before any light
(Chardon et al., Skin colour typology and suntanning pathways, 1991): arctan((L - 50) / b) of CIELAB.
"""

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from opendensepose.benchmark import predict_missing, prediction_folder
from opendensepose.evaluate import Evaluation, evaluate_files
from opendensepose.evaluate.measure_files import picture_of
from opendensepose.evaluation.measures import PersonErrors
from opendensepose.evaluation.rcp import auc, auc_interval
from opendensepose.evaluation.report import worst_people
from opendensepose.models.checkpoints.checkpoint import weights_path
from opendensepose.predict import choose_backend
from opendensepose.render import render_dataset
from opendensepose.surface import CHART_TO_PART

SEED = 20_261_130
PEOPLE = (1, 2)
MIN_SCORE = 0.2  # the benchmark's
DOCS = Path(__file__).parents[1] / "docs"
PAGE, FAILURES = DOCS / "model_card.md", DOCS / "images" / "model_card.jpg"
NUM_FAILURES, FAILURE_HEIGHT, GAP, ROW_WIDTH = 5, 240, 16, 1400  # pixels
PARTS = {  # in the order of PART_NAMES
    "torso": (1,),
    "head": (14,),
    "upper arms": (10, 11),
    "lower arms": (12, 13),
    "hands": (2, 3),
    "upper legs": (6, 7),
    "lower legs": (8, 9),
    "feet": (4, 5),
}


@dataclass(frozen=True)
class Grouping:
    """People by a number: those from ends[k - 1] to before ends[k] are called names[k]."""

    title: str
    value: Callable[[dict], float]  # of a person's entry in the annotation file
    ends: tuple[float, ...]
    names: tuple[str, ...]


def skin_angle(annotation: dict) -> float:
    """The individual typology angle, degrees: light skin has a large one."""
    rgb = np.array(annotation["synthetic"]["skin_rgb"], np.float32).reshape(1, 1, 3)
    lightness, _, yellowness = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB).ravel()
    return float(np.degrees(np.arctan2(lightness - 50, yellowness)))


def phenotype(name: str) -> Callable[[dict], float]:
    return lambda annotation: annotation["synthetic"]["phenotypes"][name]


def turned(annotation: dict) -> float:
    """By how much the trunk is turned away from the camera, degrees."""
    return abs(float(np.degrees(annotation["synthetic"]["yaw"])))


GROUPINGS = (
    Grouping("skin tone", skin_angle, (-30, 41),
             ("dark (angle below -30°)", "medium (-30° to 41°)", "light (from 41°)")),
    Grouping("age", phenotype("age"), (0.25, 0.55, 0.8),
             ("babies", "children and adolescents", "adults", "old people")),
    Grouping("sex", phenotype("gender"), (0.5,), ("male", "female")),
    Grouping("weight", phenotype("weight"), (0.35, 0.65), ("thin", "medium", "heavy")),
    Grouping("stature", phenotype("height"), (0.35, 0.65), ("short", "medium", "tall")),
    Grouping("view", turned, (45, 135), ("front", "side", "back")),
    Grouping("height in the picture", lambda annotation: annotation["bbox"][3], (60, 120, 240),
             ("below 60 px", "60 to 120 px", "120 to 240 px", "from 240 px")),
)  # fmt: skip


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def short(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}".replace("0.", ".", 1)


def row(name: str, errors_m: list[np.ndarray]) -> list[str]:
    """A group's line; errors_m: those of each person."""
    whole = np.concatenate([np.zeros(0), *errors_m])
    cells = [name, str(len(errors_m)), str(len(whole))]
    for limit_m in (0.1, 0.3):
        low, high = auc_interval(errors_m, limit_m, np.random.default_rng(0))
        cells.append(f"{short(auc(whole, limit_m))} ({short(low)}-{short(high)})")
    missing = np.mean([np.isinf(error).all() for error in errors_m]) if errors_m else np.nan
    return [*cells, "-" if np.isnan(missing) else f"{100 * missing:.0f} %"]


def group_table(people: list[PersonErrors], about: dict[int, dict]) -> str:
    rows = [row("**everybody**", [one.error_m for one in people])]
    for grouping in GROUPINGS:
        value = [grouping.value(about[one.annotation_id]) for one in people]
        group = np.digitize(value, grouping.ends)
        for k, name in enumerate(grouping.names):
            own = [one.error_m for one, number in zip(people, group, strict=True) if number == k]
            rows.append(row(f"{grouping.title}: {name}", own))
    return table(["people", "number", "points", "AUC10", "AUC30", "not found"], rows)


def part_table(people: list[PersonErrors]) -> str:
    rows = []
    for name, parts in PARTS.items():
        own = [one.error_m[np.isin(CHART_TO_PART[one.i], parts)] for one in people]
        rows.append(row(name, [error for error in own if len(error)])[:-1])
    return table(["part", "people", "points", "AUC10", "AUC30"], rows)


def draw_failures(evaluation: Evaluation) -> tuple[bytes, str]:
    """The people with the lowest GPS among those who are mostly labelled: a JPEG of them in rows, and who they are."""
    found = [one for one in evaluation.measures.people if np.isfinite(one.error_m).mean() >= 0.5]
    worst = worst_people(replace(evaluation.measures, people=found), "kappa")[:NUM_FAILURES]
    panes, lines = [], []
    for one in worst:
        picture = Image.open(BytesIO(picture_of(evaluation, one).image_bytes))
        panes.append(np.asarray(picture.resize((picture.width * FAILURE_HEIGHT // picture.height, FAILURE_HEIGHT))))
        about = evaluation.people.file.annotations[one.annotation_id]
        pose, height_px = about["synthetic"]["pose"].replace("_", " "), about["bbox"][3]
        lines.append(f"1. {pose}, {height_px} px high, turned by {turned(about):.0f}°: GPS {one.gps['kappa']:.2f}")
    content = BytesIO()
    Image.fromarray(in_rows(panes)).save(content, "JPEG", quality=80, optimize=True)
    return content.getvalue(), "\n".join(lines)


def in_rows(panes: list[np.ndarray]) -> np.ndarray:
    """Pictures of one height side by side on white, in as many rows as ROW_WIDTH demands."""
    rows, used = [[]], 0
    for pane in panes:
        if rows[-1] and used + pane.shape[1] > ROW_WIDTH:
            rows, used = [*rows, []], 0
        rows[-1].append((used, pane))
        used += pane.shape[1] + GAP
    width = max(x + pane.shape[1] for row in rows for x, pane in row)
    whole = np.full((len(rows) * (FAILURE_HEIGHT + GAP) - GAP, width, 3), 255, np.uint8)
    for k, row in enumerate(rows):
        top = k * (FAILURE_HEIGHT + GAP)
        for x, pane in row:
            whole[top : top + FAILURE_HEIGHT, x : x + pane.shape[1]] = pane
    return whole


def write_page(parts: dict[str, str]) -> None:
    text = PAGE.read_text()
    for name, part in parts.items():
        marks = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = marks.subn(lambda found, part=part: f"{found[1]}\n{part}\n\n{found[2]}", text)
        if not count:
            raise ValueError(f"{PAGE} has no marks of {name}.")
    PAGE.write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="default")
    parser.add_argument("--pictures", type=int, default=700)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--page", action="store_true")
    args = parser.parse_args()
    annotations = render_dataset(
        args.folder / "set", count=args.pictures, seed=SEED, people_range=PEOPLE, workers=args.workers
    )
    backend = choose_backend(args.model, None, None)
    predictions = prediction_folder(args.folder, weights_path(args.model), MIN_SCORE, backend)
    photos = annotations.parent / "images"
    predict_missing(photos, predictions, args.model, None, MIN_SCORE, args.pictures, workers=args.workers)
    evaluation = evaluate_files(predictions, annotations)
    people = evaluation.measures.people
    about = {entry["id"]: entry for entry in json.loads(annotations.read_text())["annotations"]}
    counts = f"{len(people)} people in {args.pictures} rendered pictures, {sum(len(one.i) for one in people)} points."
    picture, failures = draw_failures(evaluation)
    parts = {"count": counts, "groups": group_table(people, about), "parts": part_table(people), "failures": failures}
    print(*parts.values(), sep="\n\n")
    if args.page:
        FAILURES.write_bytes(picture)
        write_page(parts)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""From which score on a found person is one: precision and recall over the threshold, on rendered photos.

    python benchmarks/find_people.py [--model NAME_OR_FILE] [--pictures 150] [--seed 77]

Photos of 640x480 with everything that the renderer has: nobody to twelve people, crowds, clothes without a body,
mannequins, animals. A found person is right if its box has an IoU of at least 0.5 with the box of somebody who was not
found with a higher score. People with less than 400 labelled pixels neither count nor cost. The last line names the
threshold at which precision and recall meet. It is the model's own `min_score` that this measures.
"""

import argparse

import numpy as np
import torch
from torchvision.ops import box_iou

from opendensepose import Predictor
from opendensepose.synth import render_images

MIN_PIXELS, MIN_IOU = 400, 0.5
LEAST_SCORE = 0.15
THRESHOLDS = np.arange(0.2, 0.75, 0.05)


def matched(found: np.ndarray, boxes: np.ndarray, counts: np.ndarray) -> list[bool | None]:
    """Whether each found box (D, 4), the surest first, is a person's; None where it is one who does not count.

    boxes (P, 4) of everybody; counts (P,) bool.
    """
    free = np.ones(len(boxes), bool)
    right: list[bool | None] = []
    overlaps = box_iou(torch.from_numpy(found), torch.from_numpy(boxes)).numpy()
    for row in overlaps:
        best = int(np.argmax(np.where(free, row, -1))) if free.any() else -1
        if best < 0 or row[best] < MIN_IOU:
            right.append(False)
            continue
        free[best] = False
        right.append(True if counts[best] else None)
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--pictures", type=int, default=150)
    parser.add_argument("--seed", type=int, default=77)
    args = parser.parse_args()
    predictor = Predictor(args.model, min_score=LEAST_SCORE)
    scores, right, num_people = [], [], 0
    for rng in np.random.default_rng(args.seed).spawn(args.pictures):
        rendered = render_images([rng], (480, 640), framing="scene")[0]
        pixels = np.bincount(rendered.person.ravel(), minlength=len(rendered.boxes_xyxy) + 1)[1:]
        shown, counts = rendered.boxes_xyxy[pixels > 0], pixels[pixels > 0] >= MIN_PIXELS
        num_people += int(counts.sum())
        people = predictor(rendered.image_rgb)
        found = np.array([person.box_xyxy for person in people], np.float32).reshape(-1, 4)
        for person, is_right in zip(people, matched(found, shown, counts), strict=True):
            if is_right is not None:
                scores.append(person.score)
                right.append(is_right)
    score, is_right = np.array(scores), np.array(right, bool)
    print(f"{args.pictures} photos, {num_people} people")
    print(f"{'score':>6s}{'precision':>11s}{'recall':>9s}{'F1':>7s}")
    rows = []
    for threshold in THRESHOLDS:
        kept = score >= threshold
        precision, recall = is_right[kept].mean() if kept.any() else 1.0, (is_right & kept).sum() / max(1, num_people)
        rows.append((threshold, precision, recall))
        print(f"{threshold:6.2f}{precision:11.3f}{recall:9.3f}{2 * precision * recall / (precision + recall):7.3f}")
    meet = min(rows, key=lambda row: abs(row[1] - row[2]))
    print(f"precision and recall meet at {meet[0]:.2f}")


if __name__ == "__main__":
    main()

"""How often a model finds a person where there is none: the person-free photos of scikit-image and scikit-learn.

    python benchmarks/person_free.py [--model NAME_OR_FILE] [--min-score S]

About a third of them is held out: no picture that models are trained on since version 0.2 shows any part of them. The
others, warped and recoloured, are among the backgrounds of the training: on them this is not an independent test. The
first release was trained on all of them.
"""

import argparse

from opendensepose import Predictor
from opendensepose.synth.person_free_photos import HELD_OUT_PHOTOS, TRAINING_PHOTOS, load_person_free_photo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--min-score", type=float, default=None)
    args = parser.parse_args()
    predictor = Predictor(args.model) if args.min_score is None else Predictor(args.model, min_score=args.min_score)
    for kind, names in (("held out", HELD_OUT_PHOTOS), ("in backgrounds", TRAINING_PHOTOS)):
        empty = 0
        for name in names:
            photo = load_person_free_photo(name)
            people = predictor(photo)
            empty += not people
            scores = " ".join(f"{person.score:.2f}" for person in people)
            print(f"{name:28s} {photo.shape[1]:5d} x {photo.shape[0]:<5d} people {len(people):2d}  {scores}")
        share = f"{empty} of {len(names)} photos {kind} ({empty / len(names):.0%})"
        print(f"nobody found in {share}, min_score {predictor.min_score}\n")


if __name__ == "__main__":
    main()

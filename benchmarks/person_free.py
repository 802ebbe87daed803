"""How often a model finds a person where there is none: the person-free photos of scikit-image and scikit-learn.

    python benchmarks/person_free.py [--model NAME_OR_FILE] [--min-score S]

The same photos, warped and recoloured, are among the backgrounds that the model was trained on: this is not an
independent test.
"""

import argparse

from opendensepose import Predictor
from opendensepose.synth.person_free_photos import PERSON_FREE_PHOTOS, load_person_free_photo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--min-score", type=float, default=None)
    args = parser.parse_args()
    predictor = Predictor(args.model) if args.min_score is None else Predictor(args.model, min_score=args.min_score)
    empty = 0
    for name in PERSON_FREE_PHOTOS:
        photo = load_person_free_photo(name)
        people = predictor(photo)
        empty += not people
        scores = " ".join(f"{person.score:.2f}" for person in people)
        print(f"{name:28s} {photo.shape[1]:5d} x {photo.shape[0]:<5d} people {len(people):2d}  {scores}")
    share = empty / len(PERSON_FREE_PHOTOS)
    print(f"nobody found in {empty} of {len(PERSON_FREE_PHOTOS)} photos ({share:.0%}), min_score {predictor.min_score}")


if __name__ == "__main__":
    main()

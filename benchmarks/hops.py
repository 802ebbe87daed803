"""How much code a reader meets between the command and the network: files and functions run by `opendensepose predict`.

python benchmarks/hops.py [--model NAME_OR_FILE] [--until DenseHead.forward]

Counts the functions of this package that run from the verb to the first call of `--until`, loading the network
included, and the files they are in; comprehensions, lambdas and constructors belong to the function that runs them.
"""

import argparse
import inspect
import sys
import tempfile
from pathlib import Path

import opendensepose
from opendensepose.cli import app

SOURCE = Path(opendensepose.__file__).parent
PHOTO = SOURCE / "data" / "astronaut.webp"


def functions_run(arguments: list[str], until: str) -> list[tuple[str, str]]:
    """File and name of each function that the command runs before the one called `until` and that one, in order."""
    met: dict[tuple[str, str], None] = {}

    def note(frame, event, argument) -> None:
        code = frame.f_code
        path, name = Path(code.co_filename), code.co_qualname
        is_function = event == "call" and code.co_flags & inspect.CO_OPTIMIZED  # bodies of classes and modules are not
        if not is_function or SOURCE not in path.parents or name.endswith((">", "__init__")):
            return
        met.setdefault((str(path.relative_to(SOURCE)), name))
        if name.endswith(until):
            sys.setprofile(None)

    sys.setprofile(note)
    try:
        app(arguments, standalone_mode=False)
    finally:
        sys.setprofile(None)
    return list(met)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--until", default="DenseHead.forward")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        met = functions_run(["predict", str(PHOTO), "--out", out, "--model", options.model], options.until)
    for file, name in met:
        print(f"{file:45} {name}")
    print(f"{len({file for file, _ in met})} files, {len(met)} functions")


if __name__ == "__main__":
    main()

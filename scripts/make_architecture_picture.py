"""Draws docs/images/architecture.svg from the imports: floors, rooms and three flows through them.

python scripts/make_architecture_picture.py

Floors and rooms are those of tests/test_layers.py. A step of a flow must be imported, directly or through others, by a
step before it, or the script fails: so the picture stays true. tests/test_architecture.py checks that it is up to date.
"""

import re
import sys
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.test_layers import FILES, LAYERS, ROOMS, SOURCE, imported_modules  # noqa: E402

PICTURE = ROOT / "docs" / "images" / "architecture.svg"
FLOORS = {  # any unit of a layer: what the layer is, in words
    "__main__": "entrance",
    "cli": "the command",
    "scale": "many machines",
    "annotate": "long work",
    "predict": "one job",
    "formats": "files of labels",
    "models": "building blocks",
    "instance": "a person",
    "iuv": "maps and cameras",
    "surface": "the body",
    "cache_folder": "files on disk",
}
FLOWS = {
    "A photo becomes I, U, V": (
        "#d9480f",
        [
            ("cli/prediction.py", "opendensepose predict photo.jpg"),
            ("predict.py", "reads the photo, holds the network"),
            ("models/checkpoints/model_files.py", "the model's file, by its name"),
            ("models/densepose_lite/runtimes.py", "ONNX Runtime runs its networks"),
            ("models/densepose_lite/prepared.py", "finds people, labels their crops"),
            ("models/densepose_lite/decode.py", "chart by chart to I, U, V"),
            ("instance.py", "each person: box, score, map"),
            ("iuv.py", "I, U, V of every pixel"),
        ],
    ),
    "An annotation becomes a loss": (
        "#1971c2",
        [
            ("cli/training.py", "opendensepose train rcnn --data DIR"),
            ("training/train.py", "the loop: step, log, save, validate"),
            ("training/annotated/source.py", "batches of annotated images"),
            ("training/annotated/images.py", "image and annotation, read together"),
            ("data/coco.py", "the file's points and part masks"),
            ("instance.py", "a DenseAnnotation for each person"),
            ("models/targets.py", "as tensors, in the image's pixels"),
            ("models/rcnn/densepose_rcnn.py", "the network reads each region"),
            ("models/point_losses.py", "errors at the points: the loss"),
        ],
    ),
    "A click becomes a surface point": (
        "#2b8a3e",
        [
            ("cli/annotate.py", "opendensepose annotate PHOTOS_DIR"),
            ("annotate/server/serve.py", "opens photos and store, starts the server"),
            ("annotate/server/app.py", "routes and access"),
            ("annotate/server/handlers.py", "takes the click from the browser"),
            ("annotate/surface/service.py", "asks the surface, in a thread"),
            ("annotate/surface/views.py", "which of the six views it was"),
            ("annotate/surface/ray_casting.py", "the ray through it meets a face"),
            ("surface/points.py", "face and barycentric coordinates"),
        ],
    ),
}
WIDTH, LABEL, CHIP_W, CHIP_H, GAP = 1330, 170, 124, 40, 10
BAND_PAD, HEAD, PANEL_ROW = 14, 28, 38
FONT = "Inter, 'Segoe UI', 'Helvetica Neue', Helvetica, Arial, sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@dataclass
class Chip:
    """A box for modules: a unit's only file, a room, or what lies beside a unit's rooms."""

    place: str  # `cli`, `models/rcnn`, `predict.py`
    label: str
    num_modules: int
    x: float = 0
    y: float = 0
    dots: list[tuple[str, str]] = field(default_factory=list)  # colour, number


def place_of(module: str) -> str:
    """`models/rcnn` for models/rcnn/heads.py, `models` for models/zoo.py, `predict.py` for predict.py."""
    parts = module.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def modules_by_place() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in FILES:
        if path.name != "__init__.py":
            module = path.relative_to(SOURCE).as_posix()
            found.setdefault(place_of(module), []).append(module)
    return found


def named_modules(path: Path) -> set[Path]:
    """The files that a module with `import_module` names in strings, from its own folder: `rcnn.cascade:Cascade`."""
    text = path.read_text()
    names = re.findall(r"\"((?:[a-z_0-9]+\.)+[a-z_0-9]+):\w+\"", text) if "import_module" in text else []
    places = [path.parent.joinpath(*name.split(".")).with_suffix(".py") for name in names]
    return {place for place in places if place.is_file()}


def check_flows() -> None:
    """SystemExit unless each step is a module that a step before it imports, directly or through other modules."""
    imports = {path: imported_modules(path) | named_modules(path) for path in SOURCE.rglob("*.py")}

    def reach(start: Path) -> set[Path]:
        seen, todo = {start}, [start]
        while todo:
            for path in imports[todo.pop()] - seen:
                seen.add(path)
                todo.append(path)
        return seen

    for title, (_, steps) in FLOWS.items():
        reached: set[Path] = set()
        for k, (module, _) in enumerate(steps):
            path = SOURCE / module
            if path not in imports:
                raise SystemExit(f"{title}: there is no {module}: name the module that now does this step.")
            if k and path not in reached:
                raise SystemExit(f"{title}: no step before {module} imports it: order the steps as the imports are.")
            reached |= reach(path)


def chips_of(unit: str, modules: dict[str, list[str]]) -> list[Chip]:
    """The rooms of a unit, the upper ones first, then the modules beside them; or the unit as one box."""
    if f"{unit}.py" in modules:
        return [Chip(f"{unit}.py", f"{unit}.py", 1)]
    rooms = [room for level in ROOMS.get(unit, []) for room in sorted(level)]
    chips = [Chip(f"{unit}/{room}", room, len(modules[f"{unit}/{room}"])) for room in rooms]
    if modules.get(unit):
        chips.append(Chip(unit, f"{unit}/*.py" if rooms else unit, len(modules[unit])))
    return chips


def text(x: float, y: float, words: str, size: float = 13, colour: str = "#212529", more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}" {more}>{escape(words)}</text>'


def box(x: float, y: float, w: float, h: float, fill: str, stroke: str, radius: float = 8, more: str = "") -> str:
    size = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{radius:g}"'
    return f'<rect {size} fill="{fill}" stroke="{stroke}" {more}/>'


def draw_chip(chip: Chip) -> str:
    many = f"{chip.num_modules} module{'s' if chip.num_modules > 1 else ''}" if len(chip.dots) < 3 else ""
    parts = [box(chip.x, chip.y, CHIP_W, CHIP_H, "#ffffff", "#adb5bd", 7)]
    colour = "#868e96" if chip.label.endswith("*.py") else "#212529"
    parts.append(text(chip.x + 9, chip.y + 16, chip.label, 13, colour, 'font-weight="600"'))
    parts.append(text(chip.x + 9, chip.y + 32, many, 10.5, "#868e96"))
    return "".join(parts)


@dataclass
class Unit:
    """A unit's frame and, to lie over the lines, its title; both empty if it is one box."""

    frame: str
    title: str
    width: float
    height: float


def draw_unit(unit: str, chips: list[Chip], x: float, y: float) -> Unit:
    """A unit at x, y, its chips placed."""
    if len(chips) == 1:
        chips[0].x, chips[0].y = x, y
        return Unit("", "", CHIP_W, CHIP_H)
    columns = 3 if len(chips) == 3 or len(chips) > 6 else 2
    rows = -(-len(chips) // columns)
    w, h = columns * (CHIP_W + GAP) + GAP, HEAD + rows * (CHIP_H + GAP)
    for k, chip in enumerate(chips):
        chip.x = x + GAP + (k % columns) * (CHIP_W + GAP)
        chip.y = y + HEAD + (k // columns) * (CHIP_H + GAP)
    total = sum(chip.num_modules for chip in chips)
    halo = 'stroke="#ffffff" stroke-width="4" paint-order="stroke"'  # a line that passes behind leaves it readable
    frame = box(x, y, w, h, "#ffffff", "#ced4da", 10)
    title = text(x + 12, y + 19, unit, 14, "#212529", f'font-weight="700" {halo}')
    size = text(x + w - 12, y + 19, f"{total} modules", 11, "#868e96", f'text-anchor="end" {halo}')
    return Unit(frame, title + size, w, h)


def draw_floors(modules: dict[str, list[str]], top: float) -> tuple[str, str, dict[str, Chip], float]:
    """The bands and their units: what is under the lines and over them, the chips by place, where the bands end."""
    under, over, chips, y = [], [], {}, top
    for level, units in enumerate(LAYERS):
        (name,) = {FLOORS[unit] for unit in units if unit in FLOORS}
        found = {unit: chips_of(unit, modules) for unit in sorted(units)}
        chips |= {chip.place: chip for mine in found.values() for chip in mine}
        x, height, frames = LABEL + GAP, CHIP_H, []
        single = [unit for unit in found if len(found[unit]) == 1]
        rooms = [unit for unit in found if len(found[unit]) > 1]
        tall = max((draw_unit(unit, found[unit], 0, 0).height for unit in rooms), default=CHIP_H)
        # boxes stand on each other beside a tall frame
        per_column = max(2 if rooms else 1, int((tall + GAP) // (CHIP_H + GAP)))
        places = [(unit, 0) for unit in rooms] + [(unit, k % per_column) for k, unit in enumerate(single)]
        if "data" in single:
            places = places[len(rooms) :] + places[: len(rooms)]  # what models and synth stand beside comes first
        for k, (unit, row) in enumerate(places):
            drawn = draw_unit(unit, found[unit], x, y + BAND_PAD + row * (CHIP_H + GAP))
            frames.append(drawn.frame)
            over.append(drawn.title)
            height = max(height, drawn.height, row * (CHIP_H + GAP) + CHIP_H)
            if k + 1 == len(places) or places[k + 1][1] == 0:
                x += drawn.width + 18
        band = height + 2 * BAND_PAD
        under.append(box(0, y, WIDTH, band, "#f1f3f5" if level % 2 else "#f8f9fa", "none", 0))
        under.append(text(24, y + band / 2 + 5, name, 14, "#495057", 'font-weight="600"'))
        under += frames
        y += band
    return "".join(under), "".join(over), chips, y


def stops_of(steps: list[tuple[str, str]], chips: dict[str, Chip]) -> list[tuple[Chip, str]]:
    """The boxes that a flow goes through, each with the numbers of its steps there in a row: (chip, `5-6`)."""
    stops: list[tuple[Chip, list[int]]] = []
    for number, (module, _) in enumerate(steps, start=1):
        chip = chips[place_of(module)]
        if stops and stops[-1][0] is chip:
            stops[-1][1].append(number)
        else:
            stops.append((chip, [number]))
    return [(chip, f"{n[0]}-{n[-1]}" if len(n) > 1 else str(n[0])) for chip, n in stops]


def dot_width(number: str) -> float:
    return 18 if len(number) == 1 else 28


def draw_flows(chips: dict[str, Chip]) -> tuple[str, str]:
    """The lines, to lie under the boxes, and the numbered dots, to lie on them."""
    routes = {title: (colour, stops_of(steps, chips)) for title, (colour, steps) in FLOWS.items()}
    for colour, stops in routes.values():
        for chip, number in stops:
            chip.dots.append((colour, number))
    lines, dots = [], []
    centre: dict[tuple[str, str, str], tuple[float, float]] = {}
    for chip in chips.values():
        x = chip.x + CHIP_W - 4
        for colour, number in reversed(chip.dots):
            w = dot_width(number)
            x -= w + 3
            y = chip.y + CHIP_H - 13
            centre[chip.place, colour, number] = x + w / 2, y
            dots.append(box(x, y - 9, w, 18, colour, "#ffffff", 9, 'stroke-width="1.5"'))
            dots.append(text(x + w / 2, y + 4, number, 11, "#ffffff", 'text-anchor="middle" font-weight="700"'))
    for colour, stops in routes.values():
        points = [centre[chip.place, colour, number] for chip, number in stops]
        for (ax, ay), (bx, by) in zip(points, points[1:], strict=False):
            bend = max(26, abs(by - ay) * 0.5) if by > ay + 5 else 26
            end = by - bend if by > ay + 5 else by + bend
            path = f"M{ax:g} {ay:g}C{ax:g} {ay + bend:g} {bx:g} {end:g} {bx:g} {by:g}"
            lines.append(
                f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="3.5" stroke-opacity="0.75"'
                ' stroke-linecap="round"/>'
            )
    return "".join(lines), "".join(dots)


def draw_panels(top: float) -> tuple[str, float]:
    """Each flow's steps in words, side by side; the drawing and where it ends."""
    parts, column = [], (WIDTH - 48) / len(FLOWS)
    bottom = top
    for k, (title, (colour, steps)) in enumerate(FLOWS.items()):
        x = 24 + k * column
        parts.append(box(x, top, column - 24, 4, colour, "none", 2))
        parts.append(text(x, top + 30, title, 17, colour, 'font-weight="700"'))
        for number, (module, words) in enumerate(steps, start=1):
            y = top + 34 + number * PANEL_ROW
            parts.append(box(x, y - 15, 18, 18, colour, "none", 9))
            parts.append(text(x + 9, y - 2, str(number), 11, "#ffffff", 'text-anchor="middle" font-weight="700"'))
            parts.append(text(x + 28, y - 2, module, 12.5, "#212529", f'font-family="{MONO}"'))
            parts.append(text(x + 28, y + 14, words, 12.5, "#495057"))
            bottom = max(bottom, y + 14)
    return "".join(parts), bottom + 28


def draw() -> str:
    """Return the picture as SVG text; SystemExit if a flow does not follow the imports."""
    check_flows()
    modules = modules_by_place()
    heading = text(24, 42, "opendensepose, floor by floor", 24, "#212529", 'font-weight="700"')
    heading += text(
        24, 66, "Imports go down only. A box is a room of modules, a coloured line a flow through them, step by step.",
        13.5, "#495057",
    )  # fmt: skip
    floors, titles, chips, end = draw_floors(modules, 88)
    lines, dots = draw_flows(chips)
    panels, bottom = draw_panels(end + 28)
    boxes = "".join(draw_chip(chip) for chip in chips.values())
    body = box(0, 0, WIDTH, bottom, "#ffffff", "none", 0) + heading + floors + lines + titles + boxes + dots + panels
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom:g}" font-family="{FONT}">'
    return head + body.replace("><", ">\n<") + "</svg>\n"


if __name__ == "__main__":
    PICTURE.write_text(draw())
    print(PICTURE.relative_to(ROOT))

"""The tree: imports go downwards only, packages of one layer do not know each other, tests have their module's name."""

import ast
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "opendensepose"

# From the top. A module may import from its own unit and from layers below its own.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"scale"},
    {"training", "benchmark", "annotate", "annotators", "fit", "serve", "video"},
    {"predict", "export", "render", "evaluate", "texture"},
    {"formats"},
    {"models", "data", "synth", "visualize", "evaluation"},
    {"instance"},
    {"iuv", "camera", "keypoints", "part_grid"},
    {"surface"},
    {"cache_folder", "atomic_write", "restricted_pickle", "web", "worker_processes"},
]
# The same within packages that have sub-packages. Modules beside the sub-packages may be used by all of them.
ROOMS = {
    "annotate": [{"server"}, {"team"}, {"work"}, {"surface"}, {"checks"}],
    "models": [{"checkpoints"}, {"densepose_lite", "rcnn", "fcn"}],
    "synth": [{"scene"}, {"backgrounds"}, {"wardrobe"}, {"clothes"}, {"body"}, {"drawing"}, {"textures"}],
    "surface": [{"geodesics", "unwrapping"}],
    "training": [{"rendered", "annotated"}],
}
MOST_FILES = 14  # of one folder
TESTED_SHARE = 0.9  # of the modules that define functions have a test of their name
LEVEL = {unit: level for level, units in enumerate(LAYERS) for unit in units}

FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@cache
def syntax_tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def unit_of(path: Path) -> str:
    """`models` for src/opendensepose/models/zoo.py, `cli` for src/opendensepose/cli/__init__.py."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_units(tree: ast.AST) -> set[str]:
    """The units of opendensepose that a file imports anywhere, also inside functions."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= 1, "a relative import that leaves its package hides the layer: write the whole name"
            if node.level == 0:
                names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    parts = [name.split(".") for name in names if name.startswith("opendensepose.")]
    return {part[1] for part in parts}


def test_every_unit_has_a_layer():
    assert {unit_of(path) for path in FILES} <= set(LEVEL)


def test_imports_go_downwards():
    wrong = []
    for path in FILES:
        own = unit_of(path)
        others = imported_units(syntax_tree(path)) - {own, "__version__"}
        wrong += [f"{path} imports {one}" for one in sorted(others) if LEVEL.get(one, -1) <= LEVEL[own]]
    assert not wrong, "not from a layer below:\n" + "\n".join(wrong)


def rooms_of(package: str) -> set[str]:
    return {path.parent.name for path in (SOURCE / package).glob("*/__init__.py")}


def test_every_room_has_a_layer():
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert {name: rooms_of(name) for name in packages if rooms_of(name)} == {
        name: set().union(*levels) for name, levels in ROOMS.items()
    }


def test_imports_within_a_package_go_downwards():
    wrong = []
    for package, levels in ROOMS.items():
        level = {room: k for k, rooms in enumerate(levels) for room in rooms}
        for path in FILES:
            place = path.relative_to(SOURCE).parts
            if place[0] != package or place[1] not in level:
                continue
            others = {other.relative_to(SOURCE).parts[:2] for other in imported_modules(path)}
            rooms = {other[1] for other in others if other[0] == package} & level.keys() - {place[1]}
            wrong += [f"{path} imports {package}/{room}" for room in rooms if level[room] <= level[place[1]]]
    assert not wrong, "\n".join(wrong)


def test_no_folder_is_flat():
    sizes = {folder: len(list(folder.glob("*.py"))) for folder in {path.parent for path in FILES}}
    assert not {str(folder): size for folder, size in sizes.items() if size > MOST_FILES}


def imported_modules(path: Path) -> set[Path]:
    """The files of this package that a file imports anywhere, also inside functions; a package's own names are its
    `__init__`'s."""
    found = set()
    for node in ast.walk(syntax_tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(["opendensepose", *path.relative_to(SOURCE).parts[:-1]])
            module = node.module if node.level == 0 else f"{start}.{node.module}" if node.module else start
            names = [f"{module}.{alias.name}" for alias in node.names] + [module]
        else:
            continue
        for name in names:
            if name.startswith("opendensepose."):
                place = SOURCE.joinpath(*name.split(".")[1:])
                found |= {file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()}
    return found - {path}


def test_no_files_import_each_other_in_a_circle():
    above: dict[Path, set[Path]] = {path: imported_modules(path) for path in FILES if path.name != "__init__.py"}
    while above:
        ends = {path for path, imported in above.items() if not imported & above.keys()}
        assert ends, f"in a circle: {sorted(str(path.relative_to(SOURCE)) for path in above)}"
        above = {path: imported for path, imported in above.items() if path not in ends}


def test_a_forbidden_import_is_seen():
    assert imported_units(ast.parse("def f():\n    from opendensepose.synth import render_image")) == {"synth"}
    assert imported_units(ast.parse("from opendensepose import models")) == {"models"}
    assert LEVEL["synth"] == LEVEL["data"]


def test_files_and_functions_stay_small():
    long = []
    for path in FILES:
        text = path.read_text()
        long += [path.name] * (len(text.splitlines()) >= 400)
        for node in ast.walk(syntax_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 70:
                long.append(f"{path.name}: {node.name}")
    assert not long, f"too long: {long}"


def test_no_file_is_a_drawer_of_odds_and_ends():
    assert not [str(path) for path in FILES if path.stem in {"utils", "helpers", "common", "misc"}]


def test_modules_have_a_test_of_their_name():
    """The module a/b.py that defines a function has tests/a/test_b.py."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    modules = [path.relative_to(SOURCE) for path in FILES if path.name != "__init__.py"]
    defining = [one for one in modules if any(isinstance(node, kinds) for node in ast.walk(syntax_tree(SOURCE / one)))]
    without = [str(one) for one in defining if not (TESTS / one.parent / f"test_{one.name}").is_file()]
    assert len(without) <= (1 - TESTED_SHARE) * len(defining), f"no test of their name: {without}"

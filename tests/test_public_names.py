"""What a package offers is exactly what its `__all__` says, and importing it does no work."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import opendensepose

SOURCE = Path(opendensepose.__file__).parent
PACKAGES = sorted(
    ".".join(["opendensepose", *path.parent.relative_to(SOURCE).parts]) for path in SOURCE.rglob("__init__.py")
)
MODULES = sorted(
    ".".join(["opendensepose", *path.relative_to(SOURCE).with_suffix("").parts])
    for path in SOURCE.rglob("*.py")
    if path.name != "__init__.py"
)


def defined_names(tree: ast.Module) -> set[str]:
    """The names without a leading underscore that a module's own top-level statements define."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def imported_names(tree: ast.Module) -> set[str]:
    """The names that a package's `__init__` takes in from its own modules, at once or, if lazy, for type checkers."""
    lazy = [node for block in tree.body if isinstance(block, ast.If) for node in block.body]
    imports = [node for node in [*tree.body, *lazy] if isinstance(node, ast.ImportFrom)]
    own = [node for node in imports if node.level == 1 or node.module.startswith("opendensepose.")]
    return {alias.asname or alias.name for node in own for alias in node.names}


def listed_names(name: str) -> list[str]:
    return getattr(importlib.import_module(name), "__all__", [])


def syntax_tree(name: str) -> ast.Module:
    return ast.parse(Path(importlib.import_module(name).__file__).read_text())


def test_every_package_lists_its_names():
    assert not [name for name in PACKAGES if not hasattr(importlib.import_module(name), "__all__")]


def test_listed_names_exist_once():
    wrong = []
    for name in PACKAGES + MODULES:
        module, listed = importlib.import_module(name), listed_names(name)
        wrong += [f"{name} has no {public}" for public in listed if not hasattr(module, public)]
        wrong += [f"{name} lists {public} twice" for public in set(listed) if listed.count(public) > 1]
    assert not wrong, "\n".join(wrong)


def test_a_package_offers_exactly_what_it_imports():
    wrong = {}
    for name in set(PACKAGES) - {"opendensepose"}:
        listed, tree = set(listed_names(name)), syntax_tree(name)
        wrong[name] = listed ^ (imported_names(tree) | (defined_names(tree) & listed))
    assert not {name: names for name, names in wrong.items() if names}


def test_a_module_lists_only_its_own():
    wrong = {}
    for name in MODULES:
        tree = syntax_tree(name)
        wrong[name] = set(listed_names(name)) - defined_names(tree) - imported_names(tree)
    assert not {name: names for name, names in wrong.items() if names}


def test_every_name_of_the_package_can_be_had():
    assert sorted(opendensepose.__all__) == opendensepose.__all__
    for name in opendensepose.__all__:
        assert getattr(opendensepose, name) is not None
    assert set(opendensepose.__all__) <= set(dir(opendensepose))
    assert set(opendensepose.__all__) == set(opendensepose._HOME) | {"__version__"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Predicter"):
        opendensepose.Predicter  # noqa: B018


def test_importing_the_package_and_the_command_loads_nothing_heavy():
    heavy = "{'torch', 'cv2', 'anny', 'warp', 'numpy', 'skimage', 'scipy', 'sklearn'}"
    code = f"import sys, opendensepose, opendensepose.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_surface_needs_no_torch():
    code = "import sys; from opendensepose import load_surface, load_charts; load_surface(); load_charts()\n"
    code += "print(sorted({'torch', 'anny', 'igl', 'cv2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

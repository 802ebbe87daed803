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
    """The names that a package's `__init__` takes in from its own modules."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    own = [node for node in imports if node.level == 1 or node.module.startswith("opendensepose.")]
    return {alias.asname or alias.name for node in own for alias in node.names}


@pytest.mark.parametrize("name", PACKAGES + MODULES)
def test_listed_names_exist_once(name):
    module = importlib.import_module(name)
    assert hasattr(module, "__all__") or name in MODULES, f"the package {name} has no __all__"
    listed = getattr(module, "__all__", [])
    assert len(set(listed)) == len(listed)
    for public in listed:
        assert hasattr(module, public)


@pytest.mark.parametrize("name", [name for name in PACKAGES if name != "opendensepose"])
def test_a_package_offers_exactly_what_it_imports(name):
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__).read_text())
    assert set(module.__all__) == imported_names(tree) | (defined_names(tree) & set(module.__all__))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_lists_only_its_own(name):
    module = importlib.import_module(name)
    tree = ast.parse(Path(module.__file__).read_text())
    assert set(getattr(module, "__all__", [])) <= defined_names(tree) | imported_names(tree)


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

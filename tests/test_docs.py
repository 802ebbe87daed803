"""What the docs say is there is there, what is there is in the docs, and their code runs."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from typer.models import OptionInfo

import opendensepose
from opendensepose.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DOCS = {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "docs").rglob("*.md"))}
PAGES = {"README.md": README, "CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text(), **DOCS}
WEIGHTS = Path(opendensepose.__file__).parent / "models" / "weights" / "default.safetensors"
TOP_LEVEL = [command for group in app.registered_groups if not group.typer_instance.info.name
             for command in group.typer_instance.registered_commands]  # fmt: skip
VERBS = [command.callback.__name__ for command in TOP_LEVEL]
GROUPS = {
    group.typer_instance.info.name: group.typer_instance.registered_commands
    for group in app.registered_groups
    if group.typer_instance.info.name
}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def shell_lines(text: str) -> list[str]:
    return [line for block in blocks(text, "bash") for line in block.splitlines() if line]


PYTHON = [(name, code) for name, text in PAGES.items() for code in blocks(text, "python")]


def test_ci_calls_exactly_the_readmes_test_command():
    (test_command,) = [line for line in shell_lines(README) if "-m pytest" in line]
    assert test_command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_readmes_first_two_commands_are_complete():
    first, second = shell_lines(README)[:2]
    for command in (first, second):
        assert command.startswith("python3 -m venv .venv && ")
        assert "--constraint constraints.txt" in command
    assert "opendensepose predict --example" in first
    assert "-m pytest" in second


def test_the_readmes_script_is_short_and_shows_shapes():
    script = blocks(README, "python")[0]
    assert len(script.strip().splitlines()) <= 10
    assert "# (512, 512, 3) uint8" in script


def options_of(command) -> list[str]:
    """The options of a verb as they are written, the first form of each."""
    found = []
    for name, hint in command.callback.__annotations__.items():
        for about in getattr(hint, "__metadata__", ()):
            if isinstance(about, OptionInfo) and not about.hidden:
                given = (about.default, *(about.param_decls or ()))  # in Annotated the first one is where a default was
                forms = [form for one in given if isinstance(one, str) for form in one.split("/")]
                found.append(next(form for form in (*forms, f"--{name.replace('_', '-')}") if form.startswith("--")))
    return found


def missing_in_docs(verb: str, page_name: str, command) -> list[str]:
    """What the page and the README do not say of a verb."""
    page = DOCS[page_name]
    missing = [f"{page_name}: {one}" for one in (f"opendensepose {verb}", *options_of(command)) if one not in page]
    return missing + ([] if f"`opendensepose {verb}" in README else [f"README.md: {verb}"])


def test_every_verb_has_a_page_and_a_row():
    missing = []
    for verb, command in zip(VERBS, TOP_LEVEL, strict=True):
        missing += missing_in_docs(verb, f"docs/how_to/{verb}.md", command)
    assert not missing, "\n".join(missing)


def test_every_verb_of_a_group_is_on_the_groups_page():
    missing = []
    for group, commands in GROUPS.items():
        for command in commands:
            verb = f"{group} {command.name or command.callback.__name__}"
            missing += missing_in_docs(verb, f"docs/how_to/{group}.md", command)
    assert not missing, "\n".join(missing)


def test_every_page_of_a_verb_is_of_a_verb():
    assert {Path(name).stem for name in DOCS if name.startswith("docs/how_to/")} == {*VERBS, *GROUPS, "scale", "video"}


def test_every_public_name_is_in_the_docs():
    words = set(re.findall(r"\w+", "\n".join(PAGES.values())))
    assert not set(opendensepose.__all__) - {"__version__"} - words


@pytest.mark.parametrize("name, code", PYTHON, ids=[f"{name}-{k}" for k, (name, _) in enumerate(PYTHON)])
def test_python_in_the_docs_runs(name, code, capsys):
    tree = ast.parse(code)
    exec(compile(tree, name, "exec"), {"__name__": "docs"})
    if name == "README.md":
        assert capsys.readouterr().out.startswith("score ")


def test_training_commands_name_the_backbone_that_their_recipe_needs():
    from opendensepose.training.recipes import RECIPES

    lines = [line for text in PAGES.values() for line in shell_lines(text)]
    trained = [
        (name, line) for line in lines for name in re.findall(r"opendensepose train (\w+)", line) if name in RECIPES
    ]
    needy = [line for name, line in trained if RECIPES[name]().frozen]
    assert needy and all("--backbone" in line or "--start" in line for line in needy)


def test_modules_that_the_docs_run_can_be_run():
    """`python -m NAME`, `torchrun -m NAME`."""
    named = {name for text in PAGES.values() for name in re.findall(r"-m (opendensepose[.\w]*)", text)}
    assert "opendensepose" in named
    for name in named:
        place = ROOT / "src" / Path(*name.split("."))
        assert (place / "__main__.py").exists() or place.with_suffix(".py").exists(), name


def test_links_and_named_files_exist():
    missing = []
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            is_picture_to_come = Path(target).suffix == ".jpg" and not WEIGHTS.exists()
            if not target.startswith("http") and not is_picture_to_come:
                missing += [] if (ROOT / name).parent.joinpath(target).exists() else [f"{name} links to {target}"]
        for path in re.findall(r"`((?:src|tests|scripts|benchmarks|docs)/[\w/.]+\.\w+)`", text):
            missing += [] if (ROOT / path).exists() else [f"{name} names {path}"]
    assert not missing, "\n".join(missing)


def test_the_file_tree_is_the_real_one():
    tree = blocks(README, "text")[1]
    named = set(re.findall(r"^  (\w+(?:\.py|/))", tree, re.MULTILINE))
    source = ROOT / "src" / "opendensepose"
    units = {path.name + "/" for path in source.iterdir() if path.is_dir() and path.name != "__pycache__"}
    units |= {path.name for path in source.glob("*.py") if path.name != "__init__.py"}
    assert named == units


def test_every_module_is_in_paper_to_code_or_its_package_is():
    page = DOCS["docs/paper_to_code.md"]
    source = ROOT / "src" / "opendensepose"
    for path in source.iterdir():
        if (
            path.suffix == ".py"
            and path.stem not in {"__init__", "__main__"}
            or (path / "__init__.py").exists()
            and path.stem != "cli"
        ):
            assert f"src/opendensepose/{path.name}" in page, f"{path.name} is missing"


def required_names() -> set[str]:
    """Every library that pyproject.toml names, in the base and in the extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = sum(project["optional-dependencies"].values(), project["dependencies"])
    return {re.match(r"[\w-]+", line).group() for line in lines} - {"opendensepose"}


def test_every_dependency_is_explained():
    rows = re.findall(r"^\| ([\w, -]+?) (?:\(|\|)", DOCS["docs/dependencies.md"], re.MULTILINE)
    assert required_names() <= {name.strip().lower() for row in rows for name in row.split(",")}


def test_the_tested_versions_are_exact():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    assert required_names() <= pins.keys()


def test_the_licence_is_the_whole_apache_text():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text and "9. Accepting Warranty" in text

"""The site's reference: a page for each package, with the names of its `__all__`, made while `mkdocs build` runs."""

import ast
from pathlib import Path

from mkdocs.structure.files import File

SOURCE = Path(__file__).parents[1] / "src" / "opendensepose"


def public_names(path: Path) -> list[str]:
    """`__all__` of an `__init__.py`, read and not run."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [name for name in ast.literal_eval(node.value) if not name.startswith("__")]
    return []


def reference_pages() -> dict[str, str]:
    """Page -> Markdown, of the package itself and of each package in it that offers names."""
    pages = {}
    for path in [SOURCE / "__init__.py", *sorted(SOURCE.glob("*/__init__.py"))]:
        names, package = public_names(path), ".".join(["opendensepose", *path.relative_to(SOURCE).parts[:-1]])
        if not names or package == "opendensepose.cli":
            continue
        about = ast.get_docstring(ast.parse(path.read_text())) or ""
        parts = [f"# {package}", about.split("\n\n")[0], f"```python\nimport {package}\n```"]
        parts += [f"::: {package}.{name}" for name in sorted(names, key=lambda name: (name.isupper(), name.lower()))]
        pages[f"reference/{package}.md"] = "\n\n".join(parts) + "\n"
    return pages


def on_config(config):
    config.nav.append({"Reference": [{Path(page).stem: page} for page in reference_pages()]})
    return config


def on_files(files, config):
    for page, text in reference_pages().items():
        files.append(File.generated(config, page, content=text))
    return files

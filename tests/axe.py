"""axe-core on a page, where it is found: `npm install --no-save axe-core` in the repository, or NODE_PATH."""

import os
from functools import cache
from pathlib import Path

__all__ = ["assert_axe_is_content"]


def assert_axe_is_content(page) -> None:
    """No serious or critical finding, contrast of WCAG's level AA among them."""
    source = _axe_source()
    if source is None:
        return
    page.evaluate(source)
    found = page.evaluate("axe.run()")["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]


@cache
def _axe_source() -> str | None:
    folders = [Path(__file__).parents[1] / "node_modules"]
    folders += [Path(folder) for folder in os.environ.get("NODE_PATH", "").split(os.pathsep) if folder]
    files = [folder / "axe-core" / "axe.min.js" for folder in folders]
    return next((file.read_text() for file in files if file.is_file()), None)

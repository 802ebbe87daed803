"""Makes the page's three.min.js: what `three_names.js` names of three.js, in one minified file, and its licence.

python scripts/bundle_three.py

Needs node and npm; the versions below come from npm's registry.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

THREE, ESBUILD = "0.187.0", "0.28.2"
PAGE = Path(__file__).parents[1] / "src" / "opendensepose" / "texture" / "page"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        packages = [f"three@{THREE}", f"esbuild@{ESBUILD}"]
        subprocess.run(["npm", "install", "--no-save", "--prefix", folder, *packages], check=True)
        shutil.copy(PAGE / "three_names.js", folder)
        target = PAGE / "three.min.js"
        options = ["--bundle", "--minify", "--format=iife", "--global-name=THREE", "--legal-comments=inline"]
        (binary,) = (Path(folder) / "node_modules" / "@esbuild").glob("*/bin/esbuild")
        subprocess.run([binary, "three_names.js", *options, f"--outfile={target}"], cwd=folder, check=True)
        shutil.copy(Path(folder) / "node_modules" / "three" / "LICENSE", PAGE / "three.LICENSE.txt")
    print(f"{target.name}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

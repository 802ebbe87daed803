"""Only allowed files of an archive are read, whatever else lies in it, and only with the right checksum."""

import hashlib
import zipfile

import pytest
from tests.synth.wardrobe.tar_files import write_tar

from opendensepose.synth.wardrobe.archives import read_allowed

FILES = {"package/a/one.json": b"{}", "package/a/textures/one.png": b"picture"}
ALLOWED = {path: hashlib.sha256(content).hexdigest() for path, content in FILES.items()}


@pytest.mark.parametrize("kind", ["tgz", "tar", "zip", "folder"])
def test_every_form_gives_the_same_files(tmp_path, kind):
    files = {**FILES, "package/a/other.json": b"not ours", "LICENSE": b"AGPL"}
    source = tmp_path / f"source.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(source, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    elif kind == "folder":
        for name, content in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
    else:
        write_tar(source, files, "w:gz" if kind == "tgz" else "w")
    assert read_allowed(source, ALLOWED) == FILES


def test_a_folder_inside_the_package_will_do(tmp_path):
    (tmp_path / "textures").mkdir()
    (tmp_path / "one.json").write_bytes(b"{}")
    (tmp_path / "textures" / "one.png").write_bytes(b"picture")
    assert read_allowed(tmp_path, ALLOWED) == FILES


def test_links_and_paths_that_lead_out_are_ignored(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"{}")
    archive = write_tar(tmp_path / "a.tgz", {"../package/a/one.json": b"{}"}, links={"package/a/one.json": str(secret)})
    assert read_allowed(archive, ALLOWED) == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tgz", "secret"]


def test_a_changed_file_is_named(tmp_path):
    archive = write_tar(tmp_path / "a.tgz", {"package/a/one.json": b"[]"})
    with pytest.raises(ValueError, match="one.json has another checksum than the listed file"):
        read_allowed(archive, ALLOWED)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and no more", b"!<arch>\n and no more"])
def test_what_is_no_archive_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be used: ") as error:
        read_allowed(path, ALLOWED)
    assert "\n" not in str(error.value)


def test_an_archive_cut_off_is_refused(tmp_path):
    whole = write_tar(tmp_path / "a.tgz", {"package/b": bytes(range(256)) * 500, **FILES}).read_bytes()
    cut = tmp_path / "cut.tgz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="cut.tgz cannot be used"):
        read_allowed(cut, ALLOWED)


def test_a_deb_is_read_through_dpkg_deb(tmp_path, monkeypatch):
    inside = write_tar(tmp_path / "inside.tar", {"./usr/share/package/a/one.json": b"{}"}, "w")
    deb = tmp_path / "a.deb"
    deb.write_bytes(b"!<arch>\nand so on")
    client = tmp_path / "bin" / "dpkg-deb"
    client.parent.mkdir()
    client.write_text(f'#!/bin/sh\n[ "$1" = --fsys-tarfile ] && [ "$2" = "{deb}" ] && cat "{inside}"\n')
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{client.parent}:/usr/bin:/bin")
    assert read_allowed(deb, ALLOWED) == {"package/a/one.json": b"{}"}
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="dpkg-deb, which is not installed"):
        read_allowed(deb, ALLOWED)

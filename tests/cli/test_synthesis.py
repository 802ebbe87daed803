"""The verbs `render` and `ingredients`."""

import numpy as np
import pytest
from tests.cli.running import assert_one_sentence, run

from opendensepose.cli.synthesis import _two_numbers, say_which_ingredients
from opendensepose.synth import wardrobe
from opendensepose.synth.wardrobe import ingredients_path
from opendensepose.synth.wardrobe.ingredients_file import write_ingredients


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENDENSEPOSE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def asked(monkeypatch) -> list:
    """What fetch_ingredients() was asked for; it writes a small file."""
    calls = []

    def fetch(sources, on_step):
        calls.append(list(sources))
        on_step("converting")
        return write_ingredients({"wardrobe/a": np.zeros(1)}, "")

    monkeypatch.setattr(wardrobe, "fetch_ingredients", fetch)
    return calls


def test_it_fetches_once_and_says_where_and_under_which_licence(asked):
    first, second = run("ingredients"), run("ingredients")
    assert first.exit_code == second.exit_code == 0 and asked == [[]]
    assert str(ingredients_path()) in first.stdout and "CC0 1.0" in first.stdout and " MB" in first.stdout
    assert first.stderr.splitlines() == ["converting"]
    assert "there already" in second.stdout


def test_named_sources_and_damaged_files_are_taken_anew(asked, tmp_path):
    run("ingredients", "--from", tmp_path / "a.tgz", "--from", tmp_path / "b.deb")
    assert asked == [[tmp_path / "a.tgz", tmp_path / "b.deb"]]
    ingredients_path().write_bytes(b"damaged")
    assert run("ingredients").exit_code == 0 and asked[1:] == [[]]


def test_a_failure_is_one_sentence(tmp_path):
    done = run("ingredients", "--from", tmp_path / "missing")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("opendensepose: --from must name ")


def test_what_other_verbs_say(capsys):
    say_which_ingredients()
    assert "are procedural, since" in capsys.readouterr().out
    write_ingredients({"wardrobe/a": np.zeros(1)}, "")
    say_which_ingredients()
    assert str(ingredients_path()) in capsys.readouterr().out


def test_numbers_of_size_and_people():
    assert _two_numbers("640x480", "x", "rule") == (640, 480)
    assert _two_numbers("640X480", "x", "rule") == (640, 480)
    assert _two_numbers("3", "-", "rule") == (3, 3)
    for bad in ("", "x", "640x", "1x2x3", "-1", "a-b"):
        with pytest.raises(ValueError, match="rule"):
            _two_numbers(bad, "x", "rule")


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["--count", 1, "--seed", 0, "--size", "640by480"], "WIDTHxHEIGHT"),
        (["--count", 1, "--seed", 0, "--people", "many"], "FEWEST-MOST"),
        (["--count", 0, "--seed", 0], "count"),
        (["--count", 1, "--seed", 0, "--people", "5-2"], "5-2"),
        (["--count", 1, "--seed", 0, "--people", "1-9"], "1-9"),
        (["--count", 1, "--seed", 0, "--size", "8x8"], "8x8"),
    ],
)
def test_render_refuses_bad_numbers(tmp_path, arguments, part):
    assert_one_sentence(run("render", "--out", tmp_path / "out", *arguments), part)

"""The verbs that measure: what they print and write, and how they end on bad input."""

import json
from types import SimpleNamespace

import pytest
from tests.cli.running import assert_one_sentence, run
from tests.evaluate.test_measure_files import write_npz, write_truth
from tests.evaluation.people import UVDistances
from tests.test_annotators import rendered  # noqa: F401  (a fixture)

import opendensepose.evaluate


@pytest.fixture(autouse=True)
def uv_distances(monkeypatch):
    real = opendensepose.evaluate.load_distances

    def load(assets=None):
        return real(assets) if assets else UVDistances()

    for module in ("opendensepose.evaluate", "opendensepose.evaluate.measure_files"):
        monkeypatch.setattr(f"{module}.load_distances", load)


@pytest.fixture
def files(tmp_path):
    return write_npz(tmp_path / "out"), write_truth(tmp_path / "truth")


def test_evaluate_prints_both_tables_and_writes_what_is_asked_for(files, tmp_path):
    result = run("evaluate", *files, "--json", tmp_path / "n.json", "--report", tmp_path / "report")
    assert result.exit_code == 0, result.output
    for part in ("Pointwise", "AUC10", "AUC30", "AP75", "GPS, kappa", "GPSm, part", "24 squares", "torso"):
        assert part in result.stdout
    numbers = json.loads((tmp_path / "n.json").read_text())
    assert numbers["kappa"]["gps"]["ap"] == pytest.approx(1)
    assert "data:image/svg+xml" in (tmp_path / "report" / "index.html").read_text()


def test_evaluate_with_one_normaliser_names_only_that(files):
    result = run("evaluate", *files, "--normaliser", "part")
    assert "GPS, part" in result.stdout and "kappa" not in result.stdout


def test_evaluate_ends_with_one_sentence_and_leaves_nothing(files, tmp_path):
    predictions, truth = files
    outputs = ["--json", tmp_path / "n.json", "--report", tmp_path / "report"]
    document = json.loads(truth.read_text())
    document["annotations"][2]["dp_V"][0] = 7
    truth.write_text(json.dumps(document))
    result = run("evaluate", predictions, truth, *outputs)
    assert_one_sentence(result, "annotations.json", "annotation 21", "dp_V")
    assert_one_sentence(run("evaluate", predictions, tmp_path / "gone.json", *outputs), "gone.json")
    assert_one_sentence(run("evaluate", tmp_path / "gone", truth, *outputs), "gone")
    assert_one_sentence(run("evaluate", predictions, truth, "--normaliser", "metre", *outputs), "metre", "kappa, part")
    assert_one_sentence(run("evaluate", predictions, truth, "--assets", tmp_path, *outputs), "SMPL_subdiv.mat")
    truth.write_text("{")
    assert_one_sentence(run("evaluate", predictions, truth, *outputs), "annotations.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "truth"]


def test_places_that_cannot_be_written_are_refused_before_the_work(files, tmp_path):
    (tmp_path / "file").write_text("")
    assert_one_sentence(run("evaluate", *files, "--report", tmp_path / "file"), "file", "name a folder")
    assert_one_sentence(run("evaluate", *files, "--json", tmp_path), "name a file")
    assert_one_sentence(run("evaluate", *files, "--json", tmp_path / "no" / "n.json"), "no folder", "n.json")


def test_annotators_prints_a_table_and_writes_pictures(rendered, tmp_path):  # noqa: F811
    result = run("annotators", rendered, rendered.parent, "--out", tmp_path / "pictures")
    assert result.exit_code == 0, result.output
    assert "Ann" in result.stdout and "Bo Li" in result.stdout and "10.0" in result.stdout
    assert (tmp_path / "pictures" / "body.png").is_file()
    assert_one_sentence(run("annotators", rendered, tmp_path / "gone"), "gone")


def test_benchmark_says_which_version_and_ends_gracefully_when_stopped(files, tmp_path, monkeypatch):
    evaluation = opendensepose.evaluate.evaluate_files(*files)
    asked = SimpleNamespace()

    def run_benchmark(out, **settings):
        asked.settings = settings
        if settings["count"] == 9:
            raise KeyboardInterrupt
        return evaluation, out / "results.json"

    monkeypatch.setattr("opendensepose.benchmark.run_benchmark", run_benchmark)
    result = run("benchmark", "--out", tmp_path / "b", "--images", 3)
    assert result.exit_code == 0, result.output
    assert "version 1" in result.stdout and "first 3 of 500" in result.stdout and "results.json" in result.stdout
    assert asked.settings["model"] == "default"
    stopped = run("benchmark", "--out", tmp_path / "b", "--count", 9)
    assert stopped.exit_code == 130 and "run the same command to resume" in stopped.stderr
    monkeypatch.undo()
    assert_one_sentence(run("benchmark", "--out", tmp_path / "b", "--model", "nosuch"), "nosuch")

"""The command in this process, and how it must end on bad input."""

from typer.testing import CliRunner

from opendensepose.cli import app


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_one_sentence(result, *parts, code=2):
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("opendensepose: ")
    for part in parts:
        assert str(part) in lines[0]

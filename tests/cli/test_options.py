"""Options that are more than typer's own."""

import typer
from typer.testing import CliRunner

from opendensepose.cli.options import TakesRay


def test_ray_takes_an_address_or_none(tmp_path, monkeypatch):
    app = typer.Typer()

    @app.command(cls=TakesRay)
    def verb(
        names: list[str],
        ray: str | None = typer.Option(None, "--ray"),  # noqa: B008 - typer's way
        out: str = "",
    ) -> None:
        print(names, ray, out)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "host:1").write_bytes(b"")
    for words, expected in (
        (["a", "--ray"], "['a'] auto "),
        (["a", "--ray", "--out", "o"], "['a'] auto o"),
        (["--ray", "a"], "['a'] auto "),
        (["--ray", "local", "a"], "['a'] local "),
        (["a", "--ray", "ray://head:10001"], "['a'] ray://head:10001 "),
        (["--ray", "10.0.0.1:6379", "s3://a/b"], "['s3://a/b'] 10.0.0.1:6379 "),
        (["--ray", "host:1"], "['host:1'] auto "),  # a file
        (["a"], "['a'] None "),
    ):
        result = CliRunner().invoke(app, words)
        assert result.output.rstrip("\n") == expected, words

"""The command `opendensepose`. One module per group of verbs; each verb imports what it needs when it runs."""

from opendensepose.cli.app import app

__all__ = ["app"]

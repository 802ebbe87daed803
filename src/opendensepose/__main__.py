"""`python -m opendensepose` is the command `opendensepose`."""

from opendensepose.cli import app

if __name__ == "__main__":
    app()

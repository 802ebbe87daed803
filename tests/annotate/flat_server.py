"""A server of the flat surface in a process of its own: python -m tests.annotate.flat_server URL PHOTOS PORT."""

import sys

import uvicorn
from tests.annotate.fakes import FlatSurface

from opendensepose.annotate.server.app import create_app
from opendensepose.annotate.work.photos import PhotoFolder
from opendensepose.annotate.work.store import open_store

if __name__ == "__main__":
    url, photos, port = sys.argv[1:]
    store = open_store(url)
    uvicorn.run(create_app(store, FlatSurface(), PhotoFolder(store, photos)), port=int(port), log_level="warning")

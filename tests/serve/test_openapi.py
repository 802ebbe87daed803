"""The description is of this service: every path, and examples that its own schemas accept."""

import base64
from io import BytesIO

import msgspec
import numpy as np
from PIL import Image
from starlette.routing import Route
from tests.serve.serving import INFO, client_of, red_runner

from opendensepose.serve.answers import MEDIA_TYPES, Prediction
from opendensepose.serve.app import create_app
from opendensepose.serve.limits import Limits
from opendensepose.serve.openapi import EXAMPLE, openapi_document


def test_every_path_is_described():
    routes = create_app([red_runner], INFO).routes
    paths = {one.path for one in routes if isinstance(one, Route) and not one.path.startswith("/static/")}
    assert set(openapi_document(Limits(), False)["paths"]) == paths - {"/", "/openapi.json"}


def test_the_example_is_an_answer():
    (operation,) = openapi_document(Limits(), False)["paths"]["/v1/predict"].values()
    example = operation["responses"]["200"]["content"]["application/json"]["example"]
    found = msgspec.convert(example, Prediction, strict=False)
    assert found == EXAMPLE
    png = Image.open(BytesIO(base64.b64decode(found.people[0].iuv_png)))
    assert np.asarray(png).tolist() == [[[2, 64, 191]]]  # I 2, U 0.25, V 0.75
    assert set(operation["responses"]["200"]["content"]) == set(MEDIA_TYPES.values())


def test_references_lead_somewhere():
    document = openapi_document(Limits(), True)
    text = msgspec.json.encode(document).decode()
    for name in ("Prediction", "Person", "Error"):
        assert f"#/components/schemas/{name}" in text and name in document["components"]["schemas"]
    assert document["security"] and document["paths"]["/healthz"]["get"]["security"] == []


def test_it_is_served():
    with client_of() as client:
        assert client.get("/openapi.json").json()["openapi"] == "3.1.0"

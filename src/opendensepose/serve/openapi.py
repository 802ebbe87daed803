"""The service as OpenAPI 3.1, with an example of each answer."""

from typing import Any

import msgspec

from opendensepose import __version__
from opendensepose.serve.answers import MEDIA_TYPES, Person, Prediction
from opendensepose.serve.limits import Limits

__all__ = ["EXAMPLE", "openapi_document"]

PNG_OF_ONE_PIXEL = (  # I 2, U 0.25, V 0.75
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQIHWNgctgPAAFJAQL4jM+3AAAAAElFTkSuQmCC"
)
EXAMPLE = Prediction((512, 512), [Person((43.0, 28.0, 361.0, 488.0), 0.55, (40, 25), PNG_OF_ONE_PIXEL)])
ERRORS = {
    "400": ("The body is empty or no form.", "The request must hold a photo, as its body or as the file of a form."),
    "401": ("No valid API key.", "An API key is needed: send the header Authorization: Bearer KEY."),
    "403": ("A page of another site asks.", "Pages of other sites may not ask here; --cors ORIGIN allows one."),
    "406": ("No such media type.", "Accept must name one of application/json, image/png, image/jpeg, */*."),
    "408": ("The body took too long to arrive.", "The photo must arrive within 30 seconds."),
    "413": ("The body is too large.", "The request must be at most 25 MB."),
    "422": ("The photo or a parameter cannot be used.", "The photo is not an image that can be read."),
    "429": ("Too many photos wait; Retry-After says for how many seconds.", "Too many photos wait: try again later."),
    "504": ("The deadline has passed.", "The photo could not be labelled in time: try again later."),
}


def openapi_document(limits: Limits, needs_key: bool) -> dict[str, Any]:
    """Describe the service with these limits; needs_key: whether it asks for API keys."""
    _, schemas = msgspec.json.schema_components([Prediction], ref_template="#/components/schemas/{name}")
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "opendensepose",
            "version": __version__,
            "description": "Body coordinates I, U, V of every pixel of every person in a photo.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/predict": {"post": _predict(limits)},
            "/v1/models": {"get": _get("What is served, the formats, the limits.", _MODELS)},
            "/healthz": {"get": _get("Whether the process lives.", {"status": "alive"})},
            "/readyz": {"get": _readyz()},
            "/metrics": {"get": _metrics()},
        },
        "components": {
            "schemas": {**schemas, "Error": _ERROR_SCHEMA},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }
    if needs_key:
        document["security"] = [{"bearer": []}, {"header": []}]
        for path in ("/healthz", "/readyz"):
            document["paths"][path]["get"]["security"] = []
    return document


_ERROR_SCHEMA = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_MODELS = {
    "models": [{"name": "default", "backend": "onnxruntime", "device": "cpu", "min_score": 0.4, "example_s": 0.3}],
    "formats": {"json": "application/json", "npz": "application/x-npz"},
    "limits": {"max_bytes": 25_000_000, "max_pixels": 30_000_000, "deadline_s": 30.0},
}
_BINARY = {"type": "string", "format": "binary"}


def _get(summary: str, example: object) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"summary": summary, "responses": {"200": {"description": summary, "content": content}}}


def _readyz() -> dict[str, Any]:
    found = _get("Whether a worker can answer.", {"status": "ready"})
    content = {"application/json": {"schema": {"type": "object"}, "example": {"status": "no worker is ready"}}}
    found["responses"]["503"] = {"description": "No worker can answer.", "content": content}
    return found


def _metrics() -> dict[str, Any]:
    example = 'opendensepose_answers_total{format="json",status="200"} 12.0\n'
    content = {"text/plain": {"schema": {"type": "string"}, "example": example}}
    return {"summary": "For Prometheus.", "responses": {"200": {"description": "All metrics.", "content": content}}}


def _predict(limits: Limits) -> dict[str, Any]:
    form = {"type": "object", "properties": {"photo": _BINARY}, "required": ["photo"]}
    body: dict[str, Any] = {f"image/{kind}": {"schema": _BINARY} for kind in ("jpeg", "png", "webp", "*")}
    body["multipart/form-data"] = {"schema": form}
    schema = {"$ref": "#/components/schemas/Prediction"}
    answer: dict[str, Any] = {
        "application/json": {"schema": schema, "example": msgspec.to_builtins(EXAMPLE)},
        **{kind: {"schema": _BINARY} for kind in dict.fromkeys(MEDIA_TYPES.values()) if kind != "application/json"},
    }
    responses: dict[str, Any] = {"200": {"description": "The people, in the form asked for.", "content": answer}}
    for status, (description, sentence) in ERRORS.items():
        error = {"schema": {"$ref": "#/components/schemas/Error"}, "example": {"error": sentence}}
        responses[status] = {"description": description, "content": {"application/json": error}}
    responses["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
    return {
        "summary": "Label a photo.",
        "description": (
            f"At most {limits.max_bytes / 1e6:g} MB and {limits.max_pixels / 1e6:g} megapixels, one frame. The photo is"
            " turned as its EXIF data say. Accept: application/json, image/png (I, U, V as red, green, blue),"
            " image/jpeg (the labels over the photo), or application/x-NAME for the format NAME."
        ),
        "operationId": "predict",
        "parameters": [
            _parameter("format", {"enum": list(MEDIA_TYPES)}, "Instead of Accept.", "npz"),
            _parameter("person", {"type": "string"}, "all, largest, or a number, 1 the most confident.", "largest"),
            _parameter("min_confidence", {"type": "number", "minimum": 0, "maximum": 1}, "Drop labels below.", 0.5),
            _parameter("timeout", {"type": "number", "minimum": 0}, "Seconds after which the answer is useless.", 5),
        ],
        "requestBody": {"required": True, "content": body},
        "responses": responses,
    }


def _parameter(name: str, schema: dict[str, Any], description: str, example: object) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": description, "example": example}

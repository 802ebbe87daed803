"""The HTML and SVG that the server writes itself: Jinja2 templates, which escape every text."""

import jinja2

__all__ = ["render"]

_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.PackageLoader("opendensepose.annotate.server", "templates"),
    autoescape=True,
    trim_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def render(name: str, **values: object) -> str:
    """Render the template `name` with the values."""
    return _ENVIRONMENT.get_template(name).render(**values)

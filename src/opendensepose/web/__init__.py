"""What the service and the annotation tool share of HTTP: where they listen, who may address them, security headers."""

__all__: list[str] = []

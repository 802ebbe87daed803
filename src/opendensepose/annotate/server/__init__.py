"""The annotation tool's server: access, endpoints, the manager's page, start and stop."""

__all__: list[str] = []

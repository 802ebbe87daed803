"""The annotation tool's server: users and sessions, endpoints, the manager's page, start and stop."""

__all__: list[str] = []

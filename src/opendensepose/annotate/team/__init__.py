"""Running a team: the list of people, who is given whom, backups."""

__all__: list[str] = []

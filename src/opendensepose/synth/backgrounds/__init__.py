"""What lies behind the people: drawn rooms, streets and landscapes, photos, photographed panoramas."""

__all__: list[str] = []

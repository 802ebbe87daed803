"""What the pages and warnings call the 14 parts."""

from opendensepose.surface import PART_NAMES

__all__ = ["display_name"]


def display_name(part: int) -> str:
    """Return a part's name for display: `left upper arm` for `upper arm left`."""
    *words, last = PART_NAMES[part].split()
    return " ".join([last, *words] if last in ("left", "right") else [*words, last])

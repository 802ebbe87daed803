from opendensepose.annotate.part_names import display_name


def test_sides_come_first():
    assert [display_name(part) for part in (1, 3, 10)] == ["torso", "left hand", "left upper arm"]

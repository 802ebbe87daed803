"""A photo is in one shard, in this run and in those that follow."""

import pytest

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'opendensepose[scale]'")

from opendensepose.scale.plan import plan_shards


def names(tasks):
    return [[photo for photo, _ in task.items] for task in tasks]


def test_a_plan_is_kept_and_grows_by_shards(tmp_path):
    out, photos = str(tmp_path), [(name, 1) for name in "abcde"]
    tasks, changed = plan_shards(out, photos, {"model": "default"}, 2)
    assert names(tasks) == [["a", "b"], ["c", "d"], ["e"]] and [task.number for task in tasks] == [0, 1, 2]
    assert changed == []
    assert plan_shards(out, photos, {"model": "default"}, 100)[0] == tasks
    grown, changed = plan_shards(out, [("0", 1), ("c", 7), *photos[3:], ("f", 1), ("g", 1)], {"model": "default"}, 2)
    assert names(grown) == [["c", "d"], ["e"], ["0", "f"], ["g"]] and [task.number for task in grown] == [1, 2, 3, 4]
    assert changed == [("c", 7)]
    everything, _ = plan_shards(out, [*photos, ("0", 1), ("f", 1), ("g", 1)], {"model": "default"}, 2)
    assert sorted(sum(names(everything), [])) == sorted("abcde0fg")


def test_other_settings_are_refused_by_name(tmp_path):
    plan_shards(str(tmp_path), [("a", 1)], {"model": "default", "person": None}, 2)
    with pytest.raises(ValueError, match="made with model default, not other: name another folder"):
        plan_shards(str(tmp_path), [("a", 1)], {"model": "other", "person": None}, 2)

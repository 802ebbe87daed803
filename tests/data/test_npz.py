import numpy as np
import pytest

from opendensepose.data.npz import read_arrays


def test_named_arrays_come_back_and_others_stay(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(3), b=np.ones(2), c=np.zeros(1))
    found = read_arrays(path, ("a",), optional=("b", "x"))
    assert list(found) == ["a", "b"] and found["a"].tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="a.npz: x is not a file in the archive"):
        read_arrays(path, ("a", "x"))


def test_no_sentence_advises_to_load_what_may_run_code(tmp_path):
    objects, lone, pickled, text, cut = (tmp_path / name for name in ("o.npz", "l.npz", "p.npz", "t.npz", "c.npz"))
    np.savez(objects, a=np.array([{}], object))
    with lone.open("wb") as file:
        np.save(file, np.arange(3))
    pickled.write_bytes(b"\x80\x04}q\x00.")
    text.write_text("hello")
    np.savez(cut, a=np.arange(1000))
    cut.write_bytes(cut.read_bytes()[:300])
    for path in (objects, lone, pickled, text, cut):
        with pytest.raises(ValueError, match=f"^{path} ") as caught:
            read_arrays(path, ("a",))
        assert "pickle" not in str(caught.value) and "unsafe" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "gone.npz", ("a",))

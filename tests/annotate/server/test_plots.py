"""Plots: bars in proportion, numbers, names that are escaped."""

from xml.etree import ElementTree

import pytest

from opendensepose.annotate.server.plots import bars_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_bars_are_proportional_and_have_their_numbers():
    tree = ElementTree.fromstring(bars_svg("Errors", "cm", [("ann", 4.0), ("bob", 1.0), ("cem", None)]))
    groups = tree.findall(f"{SVG}g")
    lengths = [float(group.findall(f"{SVG}rect")[1].get("width")) for group in groups]
    whole = float(groups[0].find(f"{SVG}rect").get("width"))
    assert lengths == pytest.approx([whole, whole / 4, 0])
    texts = [[text.text for text in group.findall(f"{SVG}text")] for group in groups]
    assert texts == [["ann", "4 cm"], ["bob", "1 cm"], ["cem", "–"]]
    assert len({group.get("transform") for group in groups}) == 3


def test_markup_in_names_stays_text_and_long_names_are_cut():
    tree = ElementTree.fromstring(bars_svg("<b>", "", [("<script>&", 1.0), ("x" * 30, 2)]))
    assert tree.find(f"{SVG}title").text == "<b>"
    names = [group.find(f"{SVG}text").text for group in tree.findall(f"{SVG}g")]
    assert names == ["<script>&", "x" * 21 + "…"]


def test_nothing_measured_is_said():
    texts = [text.text for text in ElementTree.fromstring(bars_svg("Errors", "cm", [])).findall(f"{SVG}text")]
    assert texts == ["Errors", "nothing measured yet"]

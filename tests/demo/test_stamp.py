"""A stamp is believed only while its product is there and its sources are the same."""

from __future__ import annotations

from pathlib import Path

from deploy.demo.stamp import Stamp, fingerprint


def test_stamp_without_its_product_means_nothing(tmp_path: Path) -> None:
    product = tmp_path / "product"
    product.touch()
    stamp = Stamp(tmp_path / "stamps" / "one", product)
    stamp.write("a")
    assert stamp.matches("a")

    product.unlink()

    assert not stamp.matches("a")


def test_stamp_of_other_sources_does_not_match(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "one", tmp_path)
    assert not stamp.matches("a")

    stamp.write("a")

    assert not stamp.matches("b")
    assert stamp.matches("b", "a")


def test_cleared_stamp_does_not_match(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "one", tmp_path)
    stamp.write("a")

    stamp.clear()

    assert not stamp.matches("a")


def test_fingerprint_sees_contents_names_and_new_files(tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a").write_text("1")
    seen = {fingerprint([folder])}

    (folder / "a").write_text("2")
    seen.add(fingerprint([folder]))
    (folder / "a").rename(folder / "b")
    seen.add(fingerprint([folder]))
    (folder / "c").touch()
    seen.add(fingerprint([folder]))
    seen.add(fingerprint([folder], extra="x"))

    assert len(seen) == 5
    assert fingerprint([folder]) in seen

"""The documents name files that exist and numbers that are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
MADE_LATER = {"static/dist/", "src/ui/"}
"""Named, and not in the repository: built, or below frontend/."""
UNITS = {"KiB": 1024, "MiB": 1024 * 1024}

SOURCES = [
    *(ROOT / "terminal/session").glob("*.py"),
    *(ROOT / "terminal/screen").glob("*.py"),
    *(ROOT / "kube").glob("*.py"),
    *(path for path in (ROOT / "frontend/src").rglob("*.ts") if ".test." not in path.name),
]
CONSTANT = re.compile(r"^(?:export const |const )?([A-Z][A-Z_]+) = ([0-9_* KIBMGk.<]+);?\s*$", re.M)


def constants() -> dict[str, set[float]]:
    """Return what the code says: every constant that is a product of numbers."""
    found: dict[str, set[float]] = {}
    for source in SOURCES:
        for name, expression in CONSTANT.findall(source.read_text("utf-8")):
            value = 1.0
            for factor in expression.replace("KIB", "1024").replace("MIB", "1048576").split("*"):
                base, _, shift = factor.replace("_", "").partition("<<")
                value *= float(base) * 2 ** int(shift or 0)
            found.setdefault(name, set()).add(value)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_lead_somewhere(document: Path) -> None:
    text = document.read_text("utf-8")
    missing = []
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if "://" not in target and not (document.parent / target).exists():
            missing.append(target)
    for path in re.findall(r"`([\w.-]+/[\w./-]*)`", text):
        is_ours = path.split("/")[0] in FOLDERS and path not in MADE_LATER
        if is_ours and not (ROOT / path).exists():
            missing.append(path)

    assert missing == []


def test_flow_control_says_the_numbers_of_the_code() -> None:
    known = constants()
    wrong = []
    checked = 0
    for line in (ROOT / "docs/flow-control.md").read_text("utf-8").splitlines():
        if not line.startswith("|"):
            continue
        said = {
            float(number.replace(" ", "")) * UNITS[unit]
            for number, unit in re.findall(r"([0-9][0-9 ]*) (KiB|MiB)", line)
        }
        said |= {float(number) for number in re.findall(r"\b([0-9]+)\b", line)}
        for name in re.findall(r"`([A-Z][A-Z_]+)`", line):
            if name.startswith("HATCHWAY_"):
                continue
            checked += 1
            if not known.get(name, set()) & said:
                wrong.append((name, known.get(name), line))

    assert wrong == []
    assert checked > 20

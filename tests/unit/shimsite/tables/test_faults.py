"""The catalogue of faults as a page shows it: its table in both languages, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from shimfacts.model import FactError
from shimsite.tables import faults

TOLD = {"title": "the x is gone", "does": "Takes `x`.", "shows": "No x.", "undone": "x is back."}
TOLD_ZH = {"title": "x 不见了", "does": "拿走 `x`。", "shows": "没有 x。", "undone": "放回 x。"}


def load(folder: Path, **fault: Any) -> tuple[faults.Fault, ...]:
    (folder / "tables").mkdir()
    data = {"x-gone": {"nodes": ["dockershim", "containerd"], "en": TOLD, "zh": TOLD_ZH, **fault}}
    (folder / faults.PATH).write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")
    return faults.load(folder)


def test_a_repository_may_have_none(tmp_path: Path) -> None:
    assert faults.load(tmp_path) == ()
    assert faults.fill(faults.MARK, (), "en") == faults.MARK


def test_the_table(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert faults.fill(f"a\n{faults.MARK}\n", found, "en").splitlines()[3] == (
        '| <a id="fault-x-gone"></a>`x-gone`<br>the x is gone<br><small>on dockershim and containerd</small>'
        " | Takes `x`. | No x. | x is back. |"
    )
    assert "用于 dockershim、containerd" in faults.table(found, "zh")


def test_the_control_plane_has_a_name_in_each_language(tmp_path: Path) -> None:
    found = load(tmp_path, nodes=["control-plane"])
    assert "<small>on the control plane</small>" in faults.table(found, "en")
    assert "<small>用于控制平面</small>" in faults.table(found, "zh")


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ({"nodes": "dockershim"}, "x-gone: has exactly `nodes`"),
        ({"more": 1}, "x-gone: has exactly `nodes`"),
        ({"zh": {**TOLD_ZH, "shows": ""}}, "x-gone: `zh` has title, does, shows, undone"),
        ({"zh": {"title": "x"}}, "x-gone: `zh` has"),
        ({"en": {**TOLD, "does": "a | b"}}, "x-gone: `en` has"),
    ],
)
def test_what_is_refused(tmp_path: Path, fault: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FactError, match=complaint):
        load(tmp_path, **fault)

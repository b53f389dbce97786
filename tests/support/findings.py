"""What tests of doctor share."""

from __future__ import annotations

from shimlab.doctor.finding import Finding


def holds(found: Finding, state: str, words: tuple[str, ...] | list[str]) -> None:
    """Fail unless a finding is of this state and says all these words; no secret may be told."""
    told = f"{found.found}\n{found.fix}"
    assert found.state == state, told
    assert "secret" not in told
    for word in words:
        assert word in told

"""Which lanes may start now: pure, so that it can be told without running anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.support.lanes.lane import Lane, Share

WAITING, RUNNING, PASSED, FAILED, SKIPPED = "waiting", "running", "passed", "failed", "not run"
OVER = (PASSED, FAILED, SKIPPED)


class Schedule:
    """The lanes of one run, and how each is."""

    def __init__(
        self, lanes: Sequence[Lane], there: Share, minutes: Mapping[str, float] | None = None
    ) -> None:
        """Take the lanes, what the machine has, and how long each took here before.

        Raises:
            ValueError: two lanes have one name, one names a lane that there is not, or they wait for each other.
        """
        self.lanes = {lane.name: lane for lane in lanes}
        if len(self.lanes) != len(lanes):
            raise ValueError("two lanes have one name")
        self.state = dict.fromkeys(self.lanes, WAITING)
        #: Of a lane that is not run: why.
        self.why: dict[str, str] = {}
        self._there = there
        self._stopped = False
        self._minutes = {lane.name: (minutes or {}).get(lane.name, lane.minutes) for lane in lanes}
        self._left = self._paths()

    def ready(self) -> list[Lane]:
        """Return the lanes that may start now beside each other and beside those that run.

        Of several, first the one with the longest way to the end behind it. Where nothing runs one starts in any case,
        also where the machine is smaller than it wants.
        """
        self._skip()
        chosen: list[Lane] = []
        for lane in sorted(self._in(WAITING), key=lambda lane: -self._left[lane.name]):
            beside = [*self._in(RUNNING), *chosen]
            if not self._may(lane) or any(_in_each_others_way(lane, each) for each in beside):
                continue
            if self._fits(lane, chosen) or not beside:
                chosen.append(lane)
        return chosen

    def start(self, name: str) -> None:
        """Note that a lane runs."""
        self.state[name] = RUNNING

    def end(self, name: str, *, passed: bool) -> None:
        """Note how a lane ended."""
        self.state[name] = PASSED if passed else FAILED
        self._skip()

    def stop(self) -> list[Lane]:
        """Start nothing more but what clears up; return that, in its order, as far as there may be something.

        What is ended after that did not fail by itself, and nothing is spared for it.
        """
        self._stopped = True
        for lane in self._in(WAITING):
            if not (
                lane.clears and all(self.state[each] in (RUNNING, PASSED, FAILED) for each in lane.needs)
            ):
                self.state[lane.name], self.why[lane.name] = SKIPPED, "interrupted"
        return self._in(WAITING)

    @property
    def over(self) -> bool:
        """Tell whether every lane has ended, or is not going to run."""
        return all(each in OVER for each in self.state.values())

    @property
    def passed(self) -> bool:
        """Tell whether every lane passed."""
        return all(each == PASSED for each in self.state.values())

    def _in(self, state: str) -> list[Lane]:
        return [lane for lane in self.lanes.values() if self.state[lane.name] == state]

    def _skip(self) -> None:
        """Give up the lanes whose needs cannot be met any more, and those that need them."""
        again = True
        while again:
            again = False
            for lane in self._in(WAITING):
                failed = [each for each in lane.after if self.state[each] == FAILED]
                if lane.spares and failed and not self._stopped:
                    self.state[lane.name], self.why[lane.name] = SKIPPED, f"kept, since {failed[0]} failed"
                    again = True
                    continue
                lost = [each for each in lane.needs if self.state[each] in (FAILED, SKIPPED)]
                # What was begun may have left something, and is cleared up after.
                if lane.clears:
                    lost = [each for each in lost if self.state[each] == SKIPPED]
                if lost:
                    self.state[lane.name], self.why[lane.name] = SKIPPED, f"{lost[0]} did not pass"
                    again = True

    def _may(self, lane: Lane) -> bool:
        met = OVER if lane.clears else (PASSED,)
        return all(self.state[each] in met for each in lane.needs) and all(
            self.state[each] in OVER for each in lane.after
        )

    def _fits(self, lane: Lane, chosen: Sequence[Lane]) -> bool:
        # What clears up gives more than it takes.
        if lane.clears:
            return True
        wanted = _at_its_most(lane)
        for each in (*self._in(RUNNING), *chosen):
            wanted = wanted.and_(_at_its_most(each))
        for each in self.lanes.values():
            # A lab takes its share from its coming up until it is gone.
            gone = each.until and self.state[each.until] in (PASSED, FAILED)
            if self.state[each.name] == PASSED and not gone:
                wanted = wanted.and_(each.keeps)
        return wanted.fits(self._there)

    def _paths(self) -> dict[str, float]:
        """Return how many minutes lie ahead from each lane on: its own, and the longest of those that wait for it."""
        waits: dict[str, list[str]] = {name: [] for name in self.lanes}
        for lane in self.lanes.values():
            for each in (*lane.needs, *lane.after):
                if each not in waits:
                    raise ValueError(f"{lane.name} waits for {each}, and there is no such lane")
                waits[each].append(lane.name)
        left: dict[str, float] = {}

        def of(name: str, above: tuple[str, ...]) -> float:
            if name in above:
                raise ValueError(f"{' → '.join((*above, name))}: they wait for each other")
            if name not in left:
                behind = {each: of(each, (*above, name)) for each in waits[name]}
                # What goes on in a lab takes turns, most of it.
                inside = sum(self._minutes[each] for each in waits[name]) if self.lanes[name].until else 0.0
                left[name] = self._minutes[name] + max(inside, *behind.values(), 0.0)
            return left[name]

        for name in self.lanes:
            of(name, ())
        return left


def _at_its_most(lane: Lane) -> Share:
    """Return what a lane takes, with what it leaves there at its end."""
    return Share(*map(max, lane.takes, lane.keeps))


def _in_each_others_way(one: Lane, other: Lane) -> bool:
    return bool(
        set(one.changes) & {*other.reads, *other.changes} or set(other.changes) & {*one.reads, *one.changes}
    )

"""Signals: the first interrupts, and none breaks into what is put in order after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from shimlab import interruption
from shimlab.waiting import bound

SIGNALS = sorted(interruption.SIGNALS)


def send(*signs: int) -> None:
    for sign in signs:
        os.kill(os.getpid(), sign)


@pytest.mark.parametrize("sign", SIGNALS)
def test_each_of_the_signals_interrupts(sign: signal.Signals) -> None:
    before = signal.getsignal(sign)
    with pytest.raises(KeyboardInterrupt), interruption.heard():
        send(sign)
    assert signal.getsignal(sign) is before


def test_a_second_signal_does_not_break_into_what_the_first_brings_about() -> None:
    with interruption.heard():
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)
        send(signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def test_what_is_put_in_order_is_interrupted_by_none_of_them() -> None:
    with interruption.heard(), interruption.cleaning_up():
        send(*SIGNALS)


def test_the_bound_of_putting_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    with interruption.cleaning_up(seconds=0.01):
        time.sleep(0.05)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    monkeypatch.setattr(interruption, "SECONDS", 0.01)
    with interruption.heard():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                send(signal.SIGHUP)
            time.sleep(0.05)


def test_a_deferred_signal_interrupts_when_the_block_has_ended() -> None:
    @interruption.deferred()
    def work() -> None:
        send(signal.SIGTERM)
        done.append(True)

    done: list[bool] = []
    with interruption.heard(), pytest.raises(KeyboardInterrupt):
        work()
    assert done


def test_a_deferred_signal_is_ignored_where_something_is_put_in_order() -> None:
    with interruption.cleaning_up(), interruption.deferred():
        send(signal.SIGINT)


def test_other_threads_are_not_concerned() -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with interruption.heard(), interruption.cleaning_up(), interruption.deferred():
                pass
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(bound(10))
    assert not failures


def test_what_we_were_started_to_ignore_is_ignored() -> None:
    """As by nohup: the command goes on when the terminal is closed."""
    code = (
        "import os, signal\nfrom shimlab import interruption\n"
        "with interruption.heard(), interruption.cleaning_up():\n    pass\n"
        "with interruption.heard():\n    os.kill(os.getpid(), signal.SIGHUP)\nprint('went on')"
    )
    argv = ["env", "--ignore-signal=HUP", sys.executable, "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=bound(20))
    assert (done.returncode, done.stdout) == (0, "went on\n")

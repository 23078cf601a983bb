"""When a worker is taken for dead, and how it is found alive again."""

from __future__ import annotations

from api_gateway.background.circuit_breaker import CircuitBreaker


def _late(breaker: CircuitBreaker, *, count: int, start: float, end: float) -> None:
    for n in range(count):
        breaker.note(start + (end - start) * n / (count - 1), in_time=False)


def test_nobody_waits_after_a_while_of_late_answers_but_one_now_and_then() -> None:
    breaker = CircuitBreaker()
    _late(breaker, count=30, start=10.0, end=10.6)
    found = [breaker.may_wait(10.6 + n / 100) for n in range(100)]
    assert found[0]
    assert 3 <= sum(found) <= 5
    assert not any(found[1:24])
    breaker.note(11.7, in_time=False)
    assert sum(breaker.may_wait(11.8 + n / 100) for n in range(20)) <= 1
    breaker.note(12.0, in_time=True)
    assert all(breaker.may_wait(12.0 + n / 100) for n in range(100))


def test_a_pause_or_a_few_late_answers_are_no_outage() -> None:
    breaker = CircuitBreaker()
    _late(breaker, count=200, start=10.0, end=10.4)
    assert all(breaker.may_wait(10.4) for _ in range(10))
    breaker.note(10.41, in_time=True)
    _late(breaker, count=19, start=11.0, end=30.0)
    assert all(breaker.may_wait(30.0) for _ in range(10))

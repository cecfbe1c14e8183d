"""The thread of an engine: in order, one at a time, and nobody waits for a slow one behind him."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from local.events.runtime.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.close(lambda: None)


async def test_everything_runs_in_order_on_one_thread(worker: Worker) -> None:
    order: list[int] = []

    def job(number: int) -> tuple[int, int]:
        order.append(number)
        return number, threading.get_ident()

    results = await asyncio.gather(*(worker.run(job, number) for number in range(100)))
    assert order == list(range(100))
    assert [number for number, _ in results] == order
    assert len({thread for _, thread in results}) == 1
    assert results[0][1] != threading.get_ident()


async def test_a_failing_job_fails_alone(worker: Worker) -> None:
    def job(number: int) -> float:
        return 1 / number

    results = await asyncio.gather(*(worker.run(job, number) for number in (1, 0, 2)), return_exceptions=True)
    assert isinstance(results[1], ZeroDivisionError)
    assert (results[0], results[2]) == (1.0, 0.5)


async def test_a_result_does_not_wait_for_a_slow_job_of_the_same_batch(worker: Worker) -> None:
    came: list[str] = []

    async def ask(name: str, seconds: float) -> None:
        await worker.run(time.sleep, seconds)
        came.append(f"{name} {time.monotonic() - started:.1f}")

    started = time.monotonic()
    await asyncio.gather(ask("quick", 0.01), ask("slow", 0.5))
    quick, slow = came
    assert quick.startswith("quick")
    assert float(quick.split()[1]) < 0.4 < float(slow.split()[1])


async def test_whoever_stops_waiting_disturbs_nobody(worker: Worker) -> None:
    release = threading.Event()
    first = asyncio.create_task(worker.run(release.wait))
    ran: list[str] = []
    await asyncio.sleep(0.01)
    given_up = asyncio.create_task(worker.run(ran.append, "given up"))
    kept = asyncio.create_task(worker.run(ran.append, "kept"))
    await asyncio.sleep(0.01)
    given_up.cancel()
    first.cancel()
    release.set()
    await kept
    assert ran == ["kept"]


async def test_a_job_after_the_end_fails() -> None:
    worker = Worker("test")
    worker.close(lambda: None)
    with pytest.raises(RuntimeError, match="shutdown"):
        await worker.run(time.time)

"""The line of requests: its places, its order, and who leaves it."""
import threading

import anyio
import anyio.to_thread
import pytest
from fastapi import HTTPException
from running_server import HANGS

from modelscope_aams.server.line import Line


class Client:
    """A request whose client leaves once it is told to."""

    def __init__(self):
        self.leaves = anyio.Event()

    async def receive(self):
        await self.leaves.wait()
        return {'type': 'http.disconnect'}


class Work:
    """Work that lasts until it is told to end."""

    def __init__(self, result=None):
        self.begun, self.may_end, self.result = threading.Event(), threading.Event(), result

    def __call__(self):
        self.begun.set()
        assert self.may_end.wait(HANGS)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def begins(work):
    assert await anyio.to_thread.run_sync(work.begun.wait, HANGS)


async def several_turns():
    """Ways to wait while one works: the line, that work, and what others' turns gave."""
    line, first, gave = Line(9), Work(b'first'), {}

    async def turn(name, client, work):
        try:
            gave[name] = await line.turn(client, work)
        except Exception as error:
            gave[name] = error
    return line, first, gave, turn


def test_one_after_the_other():
    async def run():
        line, first, gave, turn = await several_turns()
        second = Work(b'second')
        async with anyio.create_task_group() as group:
            group.start_soon(turn, 'first', Client(), first)
            await begins(first)
            group.start_soon(turn, 'second', Client(), second)
            await anyio.wait_all_tasks_blocked()
            assert not second.begun.is_set()
            first.may_end.set()
            await begins(second)
            second.may_end.set()
        assert gave == {'first': b'first', 'second': b'second'}
    anyio.run(run)


def test_work_for_a_client_that_left_is_not_begun():
    async def run():
        line, first, gave, turn = await several_turns()
        second, leaver = Work(b'second'), Client()
        async with anyio.create_task_group() as group:
            group.start_soon(turn, 'first', Client(), first)
            await begins(first)
            group.start_soon(turn, 'second', leaver, second)
            await anyio.wait_all_tasks_blocked()
            leaver.leaves.set()
            await anyio.wait_all_tasks_blocked()
            assert gave == {'second': None}
            first.may_end.set()
        assert gave == {'second': None, 'first': b'first'}
        assert not second.begun.is_set()
    anyio.run(run)


def test_work_that_began_is_finished():
    """Its place is not free before, although its client has left."""
    async def run():
        line, first, gave, turn = await several_turns()
        leaver = Client()
        async with anyio.create_task_group() as group:
            group.start_soon(turn, 'first', leaver, first)
            await begins(first)
            leaver.leaves.set()
            await anyio.wait_all_tasks_blocked()
            assert not gave
            first.may_end.set()
        assert gave == {'first': b'first'}
    anyio.run(run)


def test_a_closed_line_sends_away_who_waits():
    async def run():
        line, first, gave, turn = await several_turns()
        second = Work()
        async with anyio.create_task_group() as group:
            group.start_soon(turn, 'first', Client(), first)
            await begins(first)
            group.start_soon(turn, 'second', Client(), second)
            await anyio.wait_all_tasks_blocked()
            line.close()
            await anyio.wait_all_tasks_blocked()
            assert gave['second'].status_code == 503
            first.may_end.set()
        assert gave['first'] == b'first' and not second.begun.is_set()
        with pytest.raises(HTTPException):
            line.place().__enter__()
    anyio.run(run)


@pytest.mark.parametrize('error', [ValueError('one'), HTTPException(422, 'one'), MemoryError()])
def test_errors_come_as_they_are(error):
    async def run():
        line, _, gave, turn = await several_turns()
        work = Work(error)
        work.may_end.set()
        await turn('first', Client(), work)
        assert gave['first'] is error
        work = Work(b'next')
        work.may_end.set()
        assert await line.turn(Client(), work) == b'next'
    anyio.run(run)


def test_places():
    async def run():
        line = Line(1)
        with line.place():
            with line.place():
                with pytest.raises(HTTPException) as refusal:
                    line.place().__enter__()
                assert refusal.value.status_code == 503
                assert int(refusal.value.headers['Retry-After']) >= 1
            with line.place():
                pass
    anyio.run(run)

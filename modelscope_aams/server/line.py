"""Requests that are worked on one after the other."""
import contextlib
import math
import time
from typing import Callable, Optional

import anyio
import anyio.to_thread
from fastapi import HTTPException, Request

# More would make a client give up.
_LONGEST_RETRY = 120


class Line:
    """One request is worked on, in a thread, and some more may wait for it.

    To be used in one event loop.

    Args:
        queue: how many may wait.
    """

    def __init__(self, queue: int):
        self._places, self._taken = queue + 1, 0
        self._worker = anyio.CapacityLimiter(1)
        self._closed = anyio.Event()
        self._seconds = 1.0

    @contextlib.contextmanager
    def place(self):
        """Takes a place in the line, for as long as the context lasts.

        Raises:
            HTTPException: 503 if there is none.
        """
        if self._taken >= self._places or self._closed.is_set():
            raise self._refusal()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def turn(self, request: Request, work: Callable[[], bytes]) -> Optional[bytes]:
        """What ``work`` returns, once it was its turn; None if the client left before that.

        Work that began is finished, whatever happens.

        Raises:
            HTTPException: 503 if the line is closed before it began.
            Whatever ``work`` raises.
        """
        outcome = []

        async def cancel_once(happens):
            await happens()
            group.cancel_scope.cancel()

        async def client_left():
            while (await request.receive())['type'] != 'http.disconnect':
                pass

        async with anyio.create_task_group() as group:
            group.start_soon(cancel_once, client_left)
            group.start_soon(cancel_once, self._closed.wait)
            outcome.append(await anyio.to_thread.run_sync(
                self._timed, work, limiter=self._worker))
            group.cancel_scope.cancel()
        if not outcome:
            if self._closed.is_set():
                raise self._refusal()
            return None
        (result, error), = outcome
        if error is not None:
            raise error
        return result

    def close(self):
        """Sends away all that wait, and all that come."""
        self._closed.set()

    def _timed(self, work):
        start = time.monotonic()
        try:
            return work(), None
        except Exception as error:
            # Raised later on, as a group of tasks would raise a group of errors.
            return None, error
        finally:
            self._seconds = time.monotonic() - start

    def _refusal(self):
        if self._closed.is_set():
            return HTTPException(503, 'the server is ending')
        seconds = min(max(1, math.ceil(self._seconds * self._taken)), _LONGEST_RETRY)
        return HTTPException(503, f'{self._taken} requests are in hand, and no more may wait; '
                                  'try again later', {'Retry-After': str(seconds)})

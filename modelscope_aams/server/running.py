"""The server as a process."""
import asyncio
import contextlib
import signal
import socket
from typing import Callable

import uvicorn

from .app import get_app
from .settings import Settings


def serve(settings: Settings, host: str, port: int, announce: Callable[[str], None]):
    """Serves until SIGINT or SIGTERM; what is worked on then is finished.

    Args:
        settings: what is served.
        host: name or address to listen at.
        port: the port, or 0 for any that is free.
        announce: called with the server's URL once it takes requests.

    Raises:
        OSError: if the port cannot be listened at.
        Whatever get_app does, before the port is bound.
    """
    asyncio.run(_serve(settings, host, port, announce))


async def _serve(settings, host, port, announce):
    app = get_app(settings)
    # Here, as uvicorn would log an error in starting, with its traceback, and go on.
    async with app.router.lifespan_context(app):
        with _listening(host, port) as listener:
            url = f'http://{f"[{host}]" if ":" in host else host}:{listener.getsockname()[1]}'
            config = uvicorn.Config(
                app, lifespan='off', http='h11', ws='none', log_level='warning',
                access_log=False, server_header=False)
            await _Server(config, lambda: announce(url), app.state.line.close).serve([listener])


def _listening(host, port) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        # create_server adds the address to the reason, which is said already.
        reason = str(error.strerror).partition(' (while')[0]
        raise OSError(f'{host}:{port} cannot be listened at ({reason}); expected an address '
                      'of this machine and a free port') from None


class _Server(uvicorn.Server):
    """Says when it has started and when it ends.

    Signals end it; uvicorn would raise them once more afterwards.
    """

    def __init__(self, config, started, ending):
        super().__init__(config)
        self._tell_started, self._tell_ending = started, ending

    async def startup(self, sockets=None):
        await super().startup(sockets)
        self._tell_started()

    async def shutdown(self, sockets=None):
        self._tell_ending()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self):
        before = {number: signal.signal(number, self.handle_exit)
                  for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

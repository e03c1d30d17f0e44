"""``aams studio``: the page for trying it, on this machine."""
import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading

from modelscope_aams.extras import require_extra
from modelscope_aams.studio.painting import MAX_PIXELS

from .argument_types import device, whole
from .logs import import_tensorflow_quietly, show_warnings_only


def add_parser(subparsers):
    parser = subparsers.add_parser(
        'studio', help='show a page for trying it in a browser',
        description='Serves a page on which a photograph gets the style of another picture. '
                    'Prints its address once it is there; Ctrl-C ends it.',
        epilog='Exit status: 0 after a signal to end, 1 if there is no such model or the port '
               'is taken, 2 for wrong usage.')
    parser.add_argument('--model', metavar='DIR|ID',
                        help='model directory or hub id (default: the bundled model)')
    parser.add_argument('--host', default='127.0.0.1', metavar='ADDRESS',
                        help='address to listen at (default: %(default)s, this machine alone)')
    parser.add_argument('--port', type=whole(0, 65535), default=7860, metavar='N',
                        help='port to listen at (default: %(default)s); 0 takes any')
    parser.add_argument('--device', type=device, default='gpu', metavar='NAME',
                        help="'gpu' (the default; the CPU where there is none), 'cpu', 'gpu:1'")
    parser.add_argument('--max-pixels', type=whole(1), default=MAX_PIXELS, metavar='N',
                        help='of each picture (default: %(default)s)')
    parser.set_defaults(run=run)


def run(arguments):
    require_extra('studio', 'aams studio')
    port = free_port(arguments.host, arguments.port)
    printed = sys.stdout
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Whatever a library prints while it works is no part of the output.
    # Gradio may still be writing there.
    with tempfile.TemporaryDirectory(prefix='aams-studio-',
                                     ignore_cleanup_errors=True) as folder, \
            contextlib.redirect_stdout(sys.stderr), contextlib.suppress(KeyboardInterrupt):
        prepare_environment(folder, arguments.host)
        show_warnings_only()
        import_tensorflow_quietly()
        from modelscope_aams.studio.page import build_page
        page = build_page(arguments.model, arguments.device, arguments.max_pixels)
        # Gradio takes an IPv6 address as a URL has it.
        host = f'[{arguments.host}]' if ':' in arguments.host else arguments.host
        _, address, _ = page.launch(server_name=host, server_port=port, share=False, quiet=True,
                                    prevent_thread_lock=True)
        print(f'aams: the page is at {address}', file=printed, flush=True)
        try:
            threading.Event().wait()
        finally:
            page.close(verbose=False)


def free_port(host: str, port: int) -> int:
    """``port``, or any for 0, if it can be listened at.

    Raises:
        ValueError: if not.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            return listening.getsockname()[1]
    except OSError as error:
        raise ValueError(f'{host} port {port} cannot be listened at '
                         f'({error.strerror or error}); choose another --host or --port') from None


def prepare_environment(folder: str, host: str):
    """Sets what Gradio reads as it is imported, and later."""
    os.environ.update(GRADIO_TEMP_DIR=folder, GRADIO_ANALYTICS_ENABLED='False')
    # It asks its own address whether it is there, and no proxy would know.
    for name in ('no_proxy', 'NO_PROXY'):
        os.environ[name] = ','.join(filter(None, (os.environ.get(name), host, 'localhost')))

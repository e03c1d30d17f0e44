"""``aams serve``: ModelScope's API server with this package's pipeline."""
import contextlib
import sys

from modelscope_aams.extras import require_extra
from modelscope_aams.server.settings import Settings

from .argument_types import device, whole
from .logs import import_tensorflow_quietly, show_warnings_only

_MEGA = 1_000_000


def add_parser(subparsers):
    parser = subparsers.add_parser(
        'serve', help='serve style transfer over HTTP',
        description="Serves POST /call, GET /describe and GET /health as ModelScope's own "
                    'server does. Prints its URL once it takes requests; Ctrl-C ends it.',
        epilog='Exit status: 0 after a signal to end, 1 if there is no such model or the port '
               'is taken, 2 for wrong usage.')
    parser.add_argument('--model', metavar='DIR|ID',
                        help='model directory or hub id (default: the bundled model)')
    parser.add_argument('--revision', metavar='NAME', help="of a hub's model")
    parser.add_argument('--host', default='127.0.0.1', metavar='ADDRESS',
                        help='address to listen at (default: %(default)s, this machine alone)')
    parser.add_argument('--port', type=whole(0, 65535), default=8000, metavar='N',
                        help='port to listen at (default: %(default)s); 0 takes any')
    parser.add_argument('--device', type=device, default=Settings.device, metavar='NAME',
                        help="'gpu' (the default; the CPU where there is none), 'cpu', 'gpu:1'")
    limits = parser.add_argument_group('limits')
    limits.add_argument('--queue', type=whole(0), default=Settings.queue, metavar='N',
                        help='requests that may wait while one is worked on; others get the '
                             'status 503 (default: %(default)s)')
    limits.add_argument('--max-pixels', type=whole(1), default=Settings.max_pixels, metavar='N',
                        help='of each picture (default: %(default)s)')
    limits.add_argument('--max-length', type=whole(1), default=Settings.max_length, metavar='N',
                        help='highest max_length that a request may ask for '
                             '(default: %(default)s)')
    limits.add_argument('--max-megabytes', type=whole(1), metavar='N',
                        default=Settings.max_bytes // _MEGA,
                        help="of a request's body, and of all that its URLs lead to "
                             '(default: %(default)s)')
    limits.add_argument('--allow-private-urls', action='store_true',
                        help='fetch pictures from addresses that are not public, too, such as '
                             "this machine's own")
    parser.set_defaults(run=run)


def run(arguments):
    require_extra('server', 'aams serve')
    settings = Settings(arguments.model, arguments.revision, arguments.device, arguments.queue,
                        arguments.max_pixels, arguments.max_megabytes * _MEGA,
                        arguments.max_length, arguments.allow_private_urls)
    printed = sys.stdout
    # The name of a folder need not be text that can be encoded.
    printed.reconfigure(errors='backslashreplace')

    def announce(url):
        print(f'aams: serving {settings.model or "the bundled model"} at {url}', file=printed,
              flush=True)

    # Whatever a library prints while it works is no part of the output.
    with contextlib.redirect_stdout(sys.stderr):
        show_warnings_only()
        import_tensorflow_quietly()
        import modelscope_aams  # noqa: F401  (registers the pipeline)
        from modelscope_aams.server.running import serve
        serve(settings, arguments.host, arguments.port, announce)

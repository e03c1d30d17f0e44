"""A server in a process of its own, what is sent to it, and pictures on another server."""
import base64
import contextlib
import http.server
import io
import os
import pathlib
import queue
import subprocess
import sys
import threading

import cv2
import httpx
import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[2]
#: Seconds after which what should have happened never will.
HANGS = 240


def noise(seed, rows, columns):
    """A smooth random picture, RGB."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)


def file_of(picture, kind='PNG'):
    """The bytes of a picture's file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return file.getvalue()


def base64_of(content):
    return base64.b64encode(content).decode()


def picture_of(text):
    """The picture in the base64 of a file, BGR or grey as it is."""
    return cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_UNCHANGED)


class Running:
    """A server that has said where it is."""

    def __init__(self, process, first_line, url):
        self.process, self.first_line, self.url = process, first_line, url
        self.client = httpx.Client(base_url=url, timeout=HANGS, trust_env=False)

    def call(self, content, style, **parameters):
        """The response to a call; pictures as base64, URLs or lists of them."""
        return self.post({'input': {'content': content, 'style': style},
                          'parameters': parameters})

    def post(self, body):
        return self.client.post('/call', json=body)

    def resident(self):
        """Bytes of memory."""
        status = pathlib.Path(f'/proc/{self.process.pid}/status').read_text()
        return int(status.partition('VmRSS:')[2].split()[0]) << 10


@contextlib.contextmanager
def serving(*arguments):
    """Starts ``aams serve`` on a free port; gives a Running."""
    process = subprocess.Popen(
        [sys.executable, '-m', 'modelscope_aams', 'serve', '--port', '0', *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
        env={**os.environ, 'PYTHONUNBUFFERED': '1'})
    lines = queue.Queue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    running = None
    try:
        line = lines.get(timeout=HANGS)
        assert ' at http://' in line, f'{line!r}, status {process.poll()}'
        running = Running(process, line, line.split()[-1])
        yield running
    finally:
        if running is not None:
            running.client.close()
        process.kill()
        process.wait()
        process.stdout.close()


class Pictures(http.server.SimpleHTTPRequestHandler):
    """Files, and what else may come from a URL.

    /to/X leads to the URL X, /again/N to /again/N-1 and at last to the content, /endless
    sends zeros without end, /slow sends one byte and nothing more, /packed is compressed.
    """
    requested = []

    def do_GET(self):
        self.requested.append(self.path)
        kind, _, rest = self.path[1:].partition('/')
        if kind == 'to':
            self._leads_to(rest)
        elif kind == 'again':
            self._leads_to(f'/again/{int(rest) - 1}' if int(rest) else '/content.png')
        elif kind == 'endless':
            self._starts()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(bytes(1 << 16))
        elif kind == 'slow':
            self._starts()
            self.wfile.write(b'0')
            self.wfile.flush()
            with contextlib.suppress(OSError):
                self.rfile.read(1)
        elif kind == 'packed':
            self._starts(('Content-Encoding', 'gzip'))
        else:
            super().do_GET()

    def _leads_to(self, url):
        self.send_response(302)
        self.send_header('Location', url)
        self.send_header('Content-Length', '0')
        self.end_headers()

    def _starts(self, *headers):
        self.send_response(200)
        for header in headers:
            self.send_header(*header)
        self.end_headers()

    def log_message(self, *_):
        pass

"""``aams studio`` as a process."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

#: Pixels that the page under test takes: the examples have fewer.
MAX_PIXELS = 250_000
#: Seconds against hanging; other tests may keep the processors busy.
PATIENCE = 300


@contextlib.contextmanager
def running(*arguments, **environment):
    """``aams studio`` as a process, and the address that it prints.

    It is ended as Ctrl-C does.
    """
    process = subprocess.Popen(
        [sys.executable, '-m', 'modelscope_aams', 'studio', '--port', '0', *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **environment})
    errors = []
    reading = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    reading.start()
    try:
        line = process.stdout.readline()
        found = re.fullmatch(r'aams: the page is at (http://127\.0\.0\.1:\d+/)\n', line)
        assert found, (line, errors)
        yield process, found[1], errors
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
        reading.join()
        process.stdout.close()
        process.stderr.close()


class Visitor:
    """Asks a page for transfers of its first example, as the page in a browser does."""

    def __init__(self, address):
        self.address = address
        config = json.loads(self.ask('config'))
        self.parts = {part['props'].get('elem_id'): part['id'] for part in config['components']}
        self.values = {part['id']: part['props'].get('value') for part in config['components']}
        example = next(part['props']['samples'][0] for part in config['components']
                       if part['type'] == 'dataset')
        for name, picture in zip(('content', 'style'), example):
            self.values[self.parts[name]] = picture
        self.event = next(
            event for event in config['dependencies'] if event['inputs']
            and [self.parts['run'], 'click'] in map(list, event['targets']))

    def ask(self, path, **fields):
        """What the page answers to a GET, or to a POST of fields."""
        request = urllib.request.Request(
            f'{self.address}{path}', json.dumps(fields).encode() if fields else None,
            {'Content-Type': 'application/json'})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()

    def join(self, session, **controls):
        """Asks for a transfer; the status of the answer."""
        values = {**self.values, **{self.parts[name]: value for name, value in controls.items()}}
        try:
            self.ask('gradio_api/queue/join', fn_index=self.event['id'], session_hash=session,
                     data=[values[part] for part in self.event['inputs']])
        except urllib.error.HTTPError as error:
            return error.code
        return 200

    def events(self, session):
        """What the page tells the one who joined as ``session``, as it does."""
        with urllib.request.urlopen(f'{self.address}gradio_api/queue/data?session_hash={session}',
                                    timeout=PATIENCE) as lines:
            for line in lines:
                if line.startswith(b'data:'):
                    yield json.loads(line.removeprefix(b'data:'))

"""``aams studio`` as a process."""
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading

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

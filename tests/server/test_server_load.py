"""More requests than can be worked on: none is answered wrongly, and memory is bounded."""
import collections
import contextlib
import http.client
import itertools
import json
import os
import random
import threading
import time

import httpx
import pytest
from running_server import HANGS, base64_of, file_of, noise, picture_of, serving

#: How long the clients go on; the variable is for working on this test alone.
SECONDS = float(os.environ.get('AAMS_LOAD_SECONDS', 60))
CLIENTS, QUEUE = 16, 4


@pytest.fixture(scope='module')
def single():
    """A server at which nobody may wait."""
    with serving('--queue', '0') as running:
        yield running


@pytest.fixture(scope='module')
def queued():
    with serving('--queue', str(QUEUE)) as running:
        yield running


@contextlib.contextmanager
def connection(server):
    opened = http.client.HTTPConnection(server.url.removeprefix('http://'), timeout=HANGS)
    yield opened
    opened.close()


def starts_call(opened, length):
    """Sends the head of a call, without its body."""
    opened.putrequest('POST', '/call')
    opened.putheader('Content-Type', 'application/json')
    opened.putheader('Content-Length', str(length))
    opened.endheaders()


def until(condition):
    end = time.monotonic() + HANGS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_full(server):
    # Whatever else is wrong with a request, it is refused before that is looked at.
    return server.client.post('/call', content=b'').status_code == 503


def test_beyond_the_queue_requests_are_refused(single, local, content, style):
    body = json.dumps({'input': {'content': base64_of(content),
                                 'style': base64_of(style)}}).encode()
    with connection(single) as first, connection(single) as second:
        starts_call(first, len(body))
        first.send(body[:100])
        until(lambda: is_full(single))
        refusal = single.call(base64_of(content), base64_of(style))
        assert refusal.status_code == 503
        assert int(refusal.headers['retry-after']) >= 1
        assert 'no more may wait' in refusal.json()['detail']
        # Of a body that nobody waits for, nothing needs to be sent.
        starts_call(second, 30_000_000)
        assert second.getresponse().status == 503
        assert single.client.get('/health').status_code == 200
        assert single.client.get('/describe').status_code == 200
        first.send(body[100:])
        response = first.getresponse()
        assert response.status == 200
        picture = picture_of(json.loads(response.read())['output_img'])
        expected = local({'content': content, 'style': style})['output_img']
        assert (picture == expected).all()
    assert single.call(base64_of(content), base64_of(style)).status_code == 200


def test_a_client_that_leaves_gives_up_its_place(single, content, style):
    with connection(single) as first:
        starts_call(first, 1000)
        until(lambda: is_full(single))
    until(lambda: not is_full(single))
    assert single.call(base64_of(content), base64_of(style)).status_code == 200


def test_health_answers_while_work_goes_on(single, style):
    large = base64_of(file_of(noise(7, 1000, 1000)))
    responses = []
    work = threading.Thread(target=lambda: responses.append(single.call(
        large, base64_of(style), max_length=1000)))
    work.start()
    until(lambda: is_full(single))
    answered = 0
    while work.is_alive():
        for path in ('/health', '/describe'):
            assert single.client.get(path).status_code == 200
        # It counts only if the work was still going on.
        answered += not responses
    assert responses[0].status_code == 200
    assert answered >= 3


def test_sixteen_clients_at_once(queued, local):
    contents = [file_of(noise(seed, 48, 64)) for seed in range(3)]
    styles = [file_of(noise(seed, 64, 48)) for seed in range(3, 5)]
    pairs = list(itertools.product(contents, styles))
    expected = {pair: local(dict(zip(('content', 'style'), pair)))['output_img']
                for pair in pairs}
    for content, style in pairs:
        assert queued.call(base64_of(content), base64_of(style)).status_code == 200
    before, end = queued.resident(), time.monotonic() + SECONDS
    outcomes, wrong, memory = collections.Counter(), [], []

    def ask(number):
        choose = random.Random(number)
        with httpx.Client(base_url=queued.url, timeout=HANGS, trust_env=False) as client:
            while time.monotonic() < end:
                pair = choose.choice(pairs)
                response = client.post('/call', json={
                    'input': dict(zip(('content', 'style'), map(base64_of, pair)))})
                outcomes[response.status_code] += 1
                if response.status_code == 200:
                    picture = picture_of(response.json()['output_img'])
                    if not (picture == expected[pair]).all():
                        wrong.append(number)
                else:
                    time.sleep(0.05)

    def watch():
        with httpx.Client(base_url=queued.url, timeout=HANGS, trust_env=False) as client:
            while time.monotonic() < end:
                outcomes['health', client.get('/health').status_code] += 1
                memory.append(queued.resident())
                time.sleep(0.2)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    threads.append(threading.Thread(target=watch))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(dict(outcomes), before >> 20, max(memory) >> 20)
    assert not wrong
    assert set(outcomes) == {200, 503, ('health', 200)}
    assert sum(outcomes.values()) == outcomes[200] + outcomes[503] + len(memory)
    assert max(memory) < before + (256 << 20)
    (content, style), *_ = pairs
    answer = queued.call(base64_of(content), base64_of(style)).json()
    assert (picture_of(answer['output_img']) == expected[content, style]).all()

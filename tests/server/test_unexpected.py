"""What nobody expected, in this process: failures, and clients that stand still."""
import anyio
import httpx
import pytest
from running_server import base64_of

from modelscope_aams.plugin.options import CallOptions
from modelscope_aams.server import answers, body
from modelscope_aams.server.answers import Answer
from modelscope_aams.server.app import get_app
from modelscope_aams.server.line import Line
from modelscope_aams.server.settings import Settings


class Broken:
    """A pipeline that fails."""
    defaults = CallOptions()

    def __call__(self, given, **options):
        raise ValueError('/a/secret/path')


def asked_of_a_broken_pipeline(send):
    """The responses to requests that ``send`` makes with a client."""
    async def run():
        app = get_app(Settings(queue=0))
        app.state.pipeline, app.state.line = Broken(), Line(0)
        app.state.parsing = anyio.CapacityLimiter(1)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url='http://here') as client:
            return await send(client)
    return anyio.run(run)


def test_a_failure_is_told_without_its_reason(content, style):
    given = {'input': {'content': base64_of(content), 'style': base64_of(style)}}

    async def send(client):
        return [await client.post('/call', json=given) for _ in range(2)]
    # The second one finds the place free that the first one had.
    for response in asked_of_a_broken_pipeline(send):
        assert response.status_code == 500
        assert response.json() == {'detail': 'the server failed; its log says why'}


def test_a_body_that_does_not_arrive(monkeypatch):
    monkeypatch.setattr(body, 'BODY_SECONDS', 0.1)

    async def pieces():
        yield b'{"input":'
        await anyio.sleep_forever()

    async def send(client):
        return await client.post('/call', content=pieces(),
                                 headers={'Content-Type': 'application/json'})
    response = asked_of_a_broken_pipeline(send)
    assert response.status_code == 408 and 'did not arrive' in response.json()['detail']


@pytest.mark.parametrize('taken', [0, 1, 3])
def test_an_answer_that_is_not_taken(monkeypatch, taken):
    """It is given up, with most of it not handed over yet."""
    monkeypatch.setattr(answers, 'ANSWER_SECONDS', 0.1)
    sent = []

    async def send(message):
        if len(sent) == taken:
            await anyio.sleep_forever()
        sent.append(message)
    anyio.run(Answer(bytes(10_000_000)), {}, None, send)
    assert len(sent) == taken
    assert sum(len(message.get('body', b'')) for message in sent) < 1_000_000


def test_an_answer_that_is_taken():
    content, sent = bytes(range(256)) * 1000, []

    async def send(message):
        sent.append(message)
    anyio.run(Answer(content), {}, None, send)
    headers = dict(sent[0]['headers'])
    assert headers[b'content-length'] == b'%d' % len(content)
    assert b''.join(message['body'] for message in sent[1:]) == content
    assert [message.get('more_body', False) for message in sent[1:]] == [True] * (
        len(sent) - 2) + [False]

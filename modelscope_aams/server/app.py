"""ModelScope's API server with this package's pipeline and its own /call."""
import contextlib
import dataclasses
import functools
import os
from typing import Any, Dict

import anyio
import anyio.to_thread
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from modelscope.pipelines import pipeline
from modelscope.server.api.routers import health, model_router
from starlette.requests import ClientDisconnect

from modelscope_aams.plugin import hub
from modelscope_aams.plugin.options import CallOptions
from modelscope_aams.plugin.pipeline import AAMSStyleTransferPipeline

from .answers import Answer, encode_result
from .body import read_body
from .calls import Url, parse_call, style_names
from .description import TASK, body_schema, call_sample, call_schema, responses
from .fetching import FetchError, fetch
from .line import Line
from .preprocessor import BoundedPreprocessor
from .settings import FETCH_SECONDS, Settings

# Characters; what is wrong may be as long as a body.
_LONGEST_DETAIL = 400


def get_app(settings: Settings) -> FastAPI:
    """The application; its pipeline is built as it starts.

    As in ModelScope's own, ``state`` has ``pipeline``, ``pipeline_info``,
    ``pipeline_sample`` and ``args``; /describe and /health are ModelScope's. In the place
    of its /call is one that takes and gives the same.

    Raises, in starting:
        ValueError, FileNotFoundError, CheckpointError, HubError: if there is no model that
            can be served.
    """
    app = FastAPI(title='modelscope-aams', version='0.1', lifespan=_pipeline_in_place,
                  swagger_ui_parameters={'tryItOutEnabled': True})
    app.state.args = settings
    app.state.pipeline_sample = call_sample()
    schema = call_schema(CallOptions(), settings)
    body = {'schema': body_schema(schema), 'example': app.state.pipeline_sample}
    app.post('/call', tags=['prediction'], dependencies=[Depends(_place)],
             responses=responses(schema), openapi_extra={
                 'requestBody': {'required': True, 'content': {'application/json': body}}})(call)
    app.get('/describe', tags=['prediction'])(model_router.describe)
    app.include_router(health.router, prefix='/health', tags=['health'])
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _nobody_there)
    app.add_exception_handler(Exception, _failed)
    return app


def build_pipeline(settings: Settings) -> AAMSStyleTransferPipeline:
    """The pipeline on the model of ``settings``, whose pictures are bounded."""
    model = settings.model
    if settings.revision is not None:
        if model is None or os.path.exists(model):
            raise ValueError(f'a revision, {settings.revision}, is of a hub; expected a '
                             f"model's id with it, not {model or 'the bundled model'}")
        model = hub.resolve(model, settings.revision).directory
    # Not model=: what ModelScope cannot read of that, it takes for a model of transformers.
    built = pipeline(TASK, model_id=model, device=settings.device,
                     preprocessor=BoundedPreprocessor(settings.max_pixels))
    if not isinstance(built, AAMSStyleTransferPipeline):
        raise ValueError(f'{model} holds the graph of another network; expected an AAMS model')
    lengths = [built.defaults.max_length, settings.max_length]
    built.defaults = dataclasses.replace(
        built.defaults, max_length=min(length for length in lengths if length is not None))
    return built


@contextlib.asynccontextmanager
async def _pipeline_in_place(app: FastAPI):
    state, settings = app.state, app.state.args
    state.pipeline = build_pipeline(settings)
    state.pipeline_info = {'task_name': state.pipeline.group_key,
                           'schema': call_schema(state.pipeline.defaults, settings)}
    state.line, state.parsing = Line(settings.queue), anyio.CapacityLimiter(1)
    yield
    state.pipeline = None


async def _place(request: Request):
    with request.app.state.line.place():
        yield


async def call(request: Request) -> Response:
    """Gives a picture the style of another.

    `/describe` lists what may be sent and gives an example.
    """
    state, settings = request.app.state, request.app.state.args
    body = await read_body(request, settings.max_bytes)
    # One at a time, and not here, where it would hold up all others.
    asked = await anyio.to_thread.run_sync(
        parse_call, body, state.pipeline.defaults, settings.max_length, limiter=state.parsing)
    del body
    given = await with_fetched(asked.input, settings)
    work = functools.partial(_stylized, state.pipeline, given, asked.options)
    del asked, given
    content = await state.line.turn(request, work)
    return _nobody_there() if content is None else Answer(content)


def _stylized(built, given, options) -> bytes:
    return encode_result(TASK, built(given, **options))


async def with_fetched(given: Dict[str, Any], settings: Settings) -> Dict[str, Any]:
    """``Call.input`` with bytes in place of URLs.

    Raises:
        HTTPException: 422 if a picture cannot be fetched, or all together are too long.
    """
    left, end = settings.max_bytes, anyio.current_time() + FETCH_SECONDS

    async def fetched(name, picture):
        nonlocal left
        if not isinstance(picture, Url):
            return picture
        try:
            content = await fetch(picture, left, settings.allow_private_urls,
                                  max(0, end - anyio.current_time()))
        except FetchError as error:
            raise HTTPException(422, f'{name}: {picture[:100]} cannot be fetched: '
                                     f'{error}') from None
        left -= len(content)
        return content

    result = {name: await fetched(name, picture) for name, picture in given.items()
              if name != 'style'}
    result['style'] = [await fetched(*style)
                       for style in zip(style_names(len(given['style'])), given['style'])]
    return result


def _refused(request: Request, error: HTTPException) -> JSONResponse:
    # JSON may hold halves of letters, which no answer can.
    text = str(error.detail).encode(errors='backslashreplace').decode()
    line = ' '.join(text.split())
    if len(line) > _LONGEST_DETAIL:
        half = _LONGEST_DETAIL // 2
        line = f'{line[:half]} … {line[-half:]}'
    return JSONResponse({'detail': line}, error.status_code, error.headers)


def _failed(request: Request, error: Exception) -> JSONResponse:
    # What raised it is logged, but nothing for who asked.
    return JSONResponse({'detail': 'the server failed; its log says why'}, 500)


def _nobody_there(*_) -> Response:
    return Response(status_code=499)

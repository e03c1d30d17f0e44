"""A result of the pipeline to what is sent for it."""
import json
from typing import Any, Dict

import anyio
import numpy as np
from fastapi import Response
from modelscope.utils.input_output import (encode_numpy_image_to_base64,
                                           pipeline_output_to_service_base64_output)

from modelscope_aams.plugin.pipeline import ATTENTION_MAP, STROKE_WEIGHTS

from .settings import ANSWER_SECONDS

_PIECE = 1 << 16


def encode_result(task: str, result: Dict[str, Any]) -> bytes:
    """The JSON for a result of the pipeline.

    ``output_img`` is the base64 of a PNG. So is ``attention_map``, a grey one, 0 black and 1
    white; ``stroke_weights`` is a list of such, one for each stroke from coarse to fine.
    """
    result = dict(result)
    if ATTENTION_MAP in result:
        result[ATTENTION_MAP] = _grey_png(result[ATTENTION_MAP])
    if STROKE_WEIGHTS in result:
        result[STROKE_WEIGHTS] = [_grey_png(plane)
                                  for plane in np.moveaxis(result[STROKE_WEIGHTS], -1, 0)]
    return json.dumps(pipeline_output_to_service_base64_output(task, result)).encode()


def _grey_png(plane: np.ndarray) -> str:
    return encode_numpy_image_to_base64(np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8))


class Answer(Response):
    """JSON that is sent piece by piece, as the client takes it.

    A client that takes longer than ANSWER_SECONDS is left: what is not sent yet would stay
    in memory for as long as it likes.
    """
    media_type = 'application/json'

    async def __call__(self, scope, receive, send):
        with anyio.move_on_after(ANSWER_SECONDS):
            await send({'type': 'http.response.start', 'status': self.status_code,
                        'headers': self.raw_headers})
            for start in range(0, len(self.body), _PIECE):
                await send({'type': 'http.response.body', 'more_body': True,
                            'body': self.body[start:start + _PIECE]})
            await send({'type': 'http.response.body', 'body': b''})

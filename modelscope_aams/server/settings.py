"""What the server is told when it starts."""
import dataclasses
from typing import Optional


@dataclasses.dataclass(frozen=True)
class Settings:
    """What is served, and within which limits.

    Attributes:
        model: a model directory or a hub's id; None for the bundled model.
        revision: of a hub's model.
        device: see plugin.model.AAMSModel.
        queue: how many requests may wait while one is worked on.
        max_pixels: of each picture in a request.
        max_bytes: of a request's body, and of all pictures together that it has fetched.
        max_length: highest value of the option of this name, which bounds time and memory
            of a transfer.
        allow_private_urls: whether pictures are also fetched from addresses that are not
            public, such as this machine's own.
    """
    model: Optional[str] = None
    revision: Optional[str] = None
    device: str = 'gpu'
    queue: int = 16
    max_pixels: int = 25_000_000
    max_bytes: int = 32_000_000
    max_length: int = 1600
    allow_private_urls: bool = False


#: How many styles a request may mix, and of how many scales its strokes may be.
MAX_STYLES, MAX_SCALES = 4, 4

#: Seconds that a client has to send a body, that all pictures of a request may take to be
#: fetched, and that a client has to take the answer.
BODY_SECONDS, FETCH_SECONDS, ANSWER_SECONDS = 120, 30, 120

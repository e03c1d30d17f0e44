"""What a transfer tells of how far it is, while it works."""
from typing import Callable

#: Called with the stage that is at work and the share of it that is done, 0..1.
Progress = Callable[[str, float], None]

#: Features of the styles, features of the content, the method itself, and the decoder.
STYLE, CONTENT, TRANSFER, PAINTING = STAGES = ('style', 'content', 'transfer', 'painting')


def silent(stage: str, done: float):
    """A Progress that tells nobody."""

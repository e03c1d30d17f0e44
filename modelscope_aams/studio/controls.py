"""What the page's controls mean to the pipeline."""
from typing import Any, Dict

from modelscope_aams.network.options import AAMS, ADAIN, AVATAR_NET, MEANINGFUL_FOR, WCT
from modelscope_aams.network.options import TransferOptions
from modelscope_aams.plugin.options import CallOptions

#: Methods, in the order of the page.
METHODS = (AAMS, AVATAR_NET, WCT, ADAIN)
#: The options that have a control, in the order of the page; each is one of CallOptions.
CONTROLS = ('method', 'style_weight', 'keep_colours', 'scales', 'theta', 'patch_size',
            'max_length')

#: The scales for each number of strokes. The content itself is the last stroke.
SCALES_FOR = {2: (0.5 ** 0.5,), 3: (0.5, 1.0), 4: TransferOptions.scales,
              5: (0.5 ** 1.5, 0.5, 0.5 ** 0.5, 1.0)}
#: The number of strokes without another choice.
STROKES = len(TransferOptions.scales) + 1

#: Longest sides that are worked at, in pixels: time and memory grow with their square.
SMALLEST_LENGTH, LARGEST_LENGTH = 128, 1600


def has_meaning(name: str, method: str) -> bool:
    """Whether an option of the page does anything for a method."""
    return name not in MEANINGFUL_FOR or method in MEANINGFUL_FOR[name]


def call_options(**values: Any) -> Dict[str, Any]:
    """The options of the pipeline's call for the values of CONTROLS.

    What has no meaning for the method is left out, whatever its hidden control says; maps
    are asked for where there are any.

    Args:
        values: one for each of CONTROLS; ``scales`` is a number of strokes.

    Raises:
        ValueError: if a value is of the wrong kind or out of range.
    """
    method = values['method']
    options = {name: values[name] for name in CONTROLS if has_meaning(name, method)}
    if 'scales' in options:
        if options['scales'] not in list(SCALES_FOR):
            raise ValueError(f'the number of strokes is {options["scales"]!r}; expected one of '
                             f'{", ".join(map(str, SCALES_FOR))}')
        options['scales'] = SCALES_FOR[options['scales']]
    length = options['max_length']
    if not (isinstance(length, int) and SMALLEST_LENGTH <= length <= LARGEST_LENGTH):
        raise ValueError(f'the longest side is {length!r}; expected a whole number from '
                         f'{SMALLEST_LENGTH} to {LARGEST_LENGTH}')
    if method == AAMS:
        options.update(return_attention_map=True, return_stroke_weights=True)
    CallOptions().updated(options)
    return options

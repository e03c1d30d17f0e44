"""The weights behind the reference tensors in tests/data, as float32 arrays.

The encoder is VGG-16 in the VGG-19 layout. The project ships it rounded to float16;
``encoder_rounding.npz`` holds what the rounding took away, in 8192ths of the last place:
an int16 for each weight, as a row of low and one of high bytes. Attention and decoder are
drawn from a seed, as they were for the reference.
"""
import functools
import pathlib

import numpy as np

import modelscope_aams
from modelscope_aams.checkpoints.reading import read_weights
from modelscope_aams.network.configuration import ATTENTION_CHANNELS, DECODER_LAYERS

DATA = pathlib.Path(__file__).parent / 'data'
BUNDLED = pathlib.Path(modelscope_aams.__file__).parent / 'bundled' / 'aams.safetensors'


def _encoder():
    shipped = read_weights(BUNDLED).arrays
    arrays = {name: array for name, array in shipped.items() if name.startswith('vgg_19/')}
    with np.load(DATA / 'encoder_rounding.npz') as rounding:
        for name in rounding.files:
            layer, kind = name.split('/')
            official = (f'vgg_19/{layer.split("_")[0]}/{layer}/'
                        f'{"weights" if kind == "kernel" else "biases"}')
            half = arrays[official].astype(np.float16)
            low, high = rounding[name].astype(np.int16)
            places = (low | high << 8).reshape(half.shape) / 8192
            arrays[official] = (half.astype(np.float64) + places * np.spacing(
                np.abs(half)).astype(np.float64)).astype(np.float32)
    return arrays


@functools.lru_cache(maxsize=1)
def reference_arrays():
    """Every variable by its official name."""
    rng = np.random.default_rng(0)
    arrays = _encoder()

    def draw(name, size, channels_in, channels_out):
        arrays[f'{name}/conv2d/bias'] = (
            rng.standard_normal((channels_out,)) * 0.01).astype(np.float32)
        arrays[f'{name}/conv2d/kernel'] = (
            rng.standard_normal((size, size, channels_in, channels_out))
            * np.sqrt(2 / (size * size * channels_in))).astype(np.float32)

    widths_in = [512] + [width for _, width in DECODER_LAYERS[:-1]]
    layers = sorted((name, channels_in, channels_out)
                    for channels_in, (name, channels_out) in zip(widths_in, DECODER_LAYERS))
    for name, channels_in, channels_out in layers:
        draw(f'decoder/{name}', 3, channels_in, channels_out)
    for letter, width in (('f', ATTENTION_CHANNELS), ('g', ATTENTION_CHANNELS), ('h', 512)):
        draw(f'self_attention/{letter}_conv', 1, 512, width)
    return arrays

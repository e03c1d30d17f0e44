"""Names of the variables, as in the official TensorFlow 1 checkpoints."""

#: First parts of the names.
ENCODER_SCOPE, ATTENTION_SCOPE, DECODER_SCOPE = SCOPES = ('vgg_19', 'self_attention', 'decoder')


def encoder_name(layer: str) -> str:
    """'conv3_1' to 'vgg_19/conv3/conv3_1', which has ``weights`` and ``biases``."""
    return f'{ENCODER_SCOPE}/{layer.split("_")[0]}/{layer}'


def attention_name(letter: str) -> str:
    """'f' to 'self_attention/f_conv/conv2d', which has ``kernel`` and ``bias``."""
    return f'{ATTENTION_SCOPE}/{letter}_conv/conv2d'


def decoder_name(layer: str) -> str:
    """'inv_conv3_1' to 'decoder/inv_conv3_1/conv2d', which has ``kernel`` and ``bias``."""
    return f'{DECODER_SCOPE}/{layer}/conv2d'

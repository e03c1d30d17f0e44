"""Attention-aware multi-stroke style transfer (AAMS) for ModelScope.

Importing this package registers its model, preprocessor, pipeline and trainer with
ModelScope; TensorFlow is imported when one of them is built.
"""
from modelscope_aams.plugin.registration import register

register()

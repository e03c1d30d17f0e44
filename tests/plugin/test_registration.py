"""Importing the package, in fresh processes: what it loads, and that its order does not matter."""
import cv2
import numpy as np
import pytest

LIGHT = '''
import sys
import modelscope_aams
print(*(name for name in ('tensorflow', 'keras') if name in sys.modules))
from modelscope.models.builder import MODELS
from modelscope.pipelines.builder import PIPELINES
from modelscope.preprocessors.builder import PREPROCESSORS
from modelscope.trainers.builder import TRAINERS
for registry, group, name in ((MODELS, 'image-style-transfer', 'aams'),
                              (PREPROCESSORS, 'cv', 'aams-style-transfer-preprocessor'),
                              (PIPELINES, 'image-style-transfer', 'AAMS-style-transfer'),
                              (TRAINERS, 'default', 'aams-style-transfer-trainer')):
    print(registry.get(name, group).__module__)
'''


def test_import_is_light_and_registers(run_python):
    output, errors = run_python(LIGHT)
    assert output.splitlines() == ['', 'modelscope_aams.plugin.model',
                                   'modelscope_aams.plugin.preprocessor',
                                   'modelscope_aams.plugin.pipeline',
                                   'modelscope_aams.plugin.trainer']
    assert 'WARNING' not in errors


# Each defines p, a pipeline by the published id, the hub being out of reach.
ORDERS = {
    'pipeline first': '''
from modelscope.pipelines import pipeline
import modelscope_aams
p = pipeline('image-style-transfer', model='damo/cv_aams_style-transfer_damo')
''',
    'plugin first': '''
import modelscope_aams
from modelscope.pipelines import pipeline
from modelscope.pipelines.cv import ImageStyleTransferPipeline
p = pipeline('image-style-transfer', model='damo/cv_aams_style-transfer_damo')
''',
    'built-in one used first': '''
import sys
from modelscope.pipelines import pipeline
before = pipeline('image-style-transfer', model=FOREIGN)
assert type(before).__module__.startswith('modelscope.')
import modelscope_aams
p = pipeline('image-style-transfer', model_id='damo/cv_aams_style-transfer_damo')
assert type(pipeline('image-style-transfer', model=FOREIGN)) is type(before)
''',
}


@pytest.mark.parametrize('order', ORDERS)
def test_order_of_imports(run_python, foreign, order):
    output, errors = run_python(f'''FOREIGN = {str(foreign)!r}
{ORDERS[order]}
print(type(p).__module__, p.model.model_dir == modelscope_aams.plugin.hub.BUNDLED_DIRECTORY)
modelscope_aams.plugin.registration.register()
from modelscope.pipelines import builder
print(hasattr(builder.read_config.__wrapped__, '__wrapped__'))
''')
    assert output.splitlines()[-2:] == ['modelscope_aams.plugin.pipeline True', 'False']
    assert errors.count('bundled with modelscope-aams stand in') == 1
    assert 'not found in ast index' not in errors


SNIPPET = '''
import cv2
from modelscope.outputs import OutputKeys
from modelscope.pipelines import pipeline
from modelscope.utils.constant import Tasks
import modelscope_aams

style_transfer = pipeline(Tasks.image_style_transfer,
                          model_id='damo/cv_aams_style-transfer_damo')
result = style_transfer(dict(content='content.png', style='style.png'))
cv2.imwrite('result.png', result[OutputKeys.OUTPUT_IMG])
'''


def test_snippet_without_a_hub(run_python, tmp_path, content, style, expected):
    for name, array in (('content', content), ('style', style)):
        assert cv2.imwrite(str(tmp_path / f'{name}.png'), array)
    cache = tmp_path / 'cache'
    _, errors = run_python(f'import os; os.chdir({str(tmp_path)!r})\n{SNIPPET}',
                           MODELSCOPE_CACHE=str(cache))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'result.png')), expected)
    warning, = (line for line in errors.splitlines() if 'modelscope - WARNING' in line)
    assert 'bundled' in warning


def test_snippet_with_a_cached_copy(run_python, cached, hub_cache, official, official_picture,
                                    tmp_path, content, style):
    for name, array in (('content', content), ('style', style)):
        assert cv2.imwrite(str(tmp_path / f'{name}.png'), array)
    cached(official, 'damo/cv_aams_style-transfer_damo')
    _, errors = run_python(f'import os; os.chdir({str(tmp_path)!r})\n{SNIPPET}',
                           MODELSCOPE_CACHE=str(hub_cache))
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / 'result.png')), official_picture)
    warning, = (line for line in errors.splitlines() if 'modelscope - WARNING' in line)
    assert 'cache' in warning

"""Makes ModelScope know this package, without TensorFlow being imported."""
import functools
import importlib

from modelscope.metainfo import Pipelines, Tasks
from modelscope.pipelines.builder import add_default_pipeline_info
from modelscope.utils.ast_utils import INDEX_KEY, MODULE_KEY
from modelscope.utils.constant import Fields
from modelscope.utils.import_utils import LazyImportModule

from . import hub

#: What is registered: registry, group, name, and the module of this package that does it.
COMPONENTS = (
    ('MODELS', Tasks.image_style_transfer, 'aams', 'model'),
    ('PREPROCESSORS', Fields.cv, 'aams-style-transfer-preprocessor', 'preprocessor'),
    ('PIPELINES', Tasks.image_style_transfer, Pipelines.image_style_transfer, 'pipeline'),
)

#: ModelScope's modules that look up a model's id, and the functions they call for it.
LOOK_UPS = {
    'modelscope.pipelines.builder': ('is_model_from_trusted_source', 'is_official_hub_path',
                                     'read_config', 'normalize_model_input'),
    'modelscope.models.base.base_model': ('is_model_from_trusted_source', 'snapshot_download'),
    'modelscope.preprocessors.base': ('snapshot_download',),
}


def register():
    """Registers the COMPONENTS, the bundled model as the task's default, and the LOOK_UPS."""
    index = LazyImportModule.get_ast_index()[INDEX_KEY]
    for registry, group, name, module in COMPONENTS:
        module = f'{__package__}.{module}'
        importlib.import_module(module)
        # What is not in this index ModelScope warns of, and takes for a transformers model.
        index[registry, group, name] = {MODULE_KEY: module}
    add_default_pipeline_info(
        Tasks.image_style_transfer, Pipelines.image_style_transfer, hub.BUNDLED_DIRECTORY,
        overwrite=True)
    for module, functions in LOOK_UPS.items():
        module = importlib.import_module(module)
        for function in functions:
            if hasattr(module, function):
                setattr(module, function, _with_local_copies(getattr(module, function)))


def _with_local_copies(function):
    """One of the LOOK_UPS, called on the local directory where it is given an AAMS model's id.

    ``pipeline(task, model=id)`` asks the hub several times, and fails without one, before
    it comes to the pipeline's class. As callers have imported that function by its name
    already, what it calls is replaced. Anything but the id of an AAMS model goes through.
    """
    if hasattr(function, 'without_local_copies'):
        return function

    @functools.wraps(function)
    def look_up(model, revision=None, *args, **kwargs):
        found = hub.local_copy(model, revision)
        if found is None:
            return function(model, revision, *args, **kwargs)
        if function.__name__ == 'snapshot_download':
            return found.directory
        if function.__name__ == 'is_model_from_trusted_source':
            return found.source == hub.HUB and function(model, revision, *args, **kwargs)
        return function(found.directory, revision, *args, **kwargs)

    look_up.without_local_copies = function
    return look_up

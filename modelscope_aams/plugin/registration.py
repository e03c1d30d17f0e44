"""Makes ModelScope know this package, without TensorFlow being imported."""
import functools
import importlib

from modelscope.metainfo import Pipelines, Tasks
from modelscope.pipelines.builder import add_default_pipeline_info
from modelscope.utils.ast_utils import INDEX_KEY, MODULE_KEY
from modelscope.utils.constant import Fields
from modelscope.utils.import_utils import LazyImportModule
from modelscope.utils.registry import default_group

from . import hub, model, pipeline, preprocessor, trainer

#: What is registered: registry, group, name, and the module that did it in being imported.
COMPONENTS = (
    ('MODELS', Tasks.image_style_transfer, model.MODEL_TYPE, model),
    ('PREPROCESSORS', Fields.cv, preprocessor.PREPROCESSOR_TYPE, preprocessor),
    ('PIPELINES', Tasks.image_style_transfer, Pipelines.image_style_transfer, pipeline),
    ('TRAINERS', default_group, trainer.TRAINER_TYPE, trainer),
)

_BUILDER = 'modelscope.pipelines.builder'

#: ModelScope's modules that look up a model's id, and the functions they call for it.
LOOK_UPS = {
    _BUILDER: ('is_model_from_trusted_source', 'is_official_hub_path', 'read_config',
               'normalize_model_input'),
    'modelscope.trainers.builder': ('is_model_from_trusted_source', 'is_official_hub_path',
                                    'read_config', 'normalize_model_input'),
    'modelscope.models.base.base_model': ('is_model_from_trusted_source', 'snapshot_download'),
    'modelscope.preprocessors.base': ('snapshot_download',),
}


def register():
    """Completes what importing the COMPONENTS did; doing it again changes nothing."""
    index = LazyImportModule.get_ast_index()[INDEX_KEY]
    for registry, group, name, module in COMPONENTS:
        # What is not in this index ModelScope warns of, and takes for a transformers model.
        index[registry, group, name] = {MODULE_KEY: module.__name__}
    add_default_pipeline_info(
        Tasks.image_style_transfer, Pipelines.image_style_transfer, hub.BUNDLED_DIRECTORY,
        overwrite=True)
    for module, functions in LOOK_UPS.items():
        for function in functions:
            _wrap(module, function, _with_local_copies)
    _wrap(_BUILDER, 'is_embedding_task', _refusing_style_transfer)


def _wrap(module, name, wrapper):
    """Replaces a function of ModelScope's, once; versions that lack it need no replacing."""
    module = importlib.import_module(module)
    function = getattr(module, name, None)
    if function is not None and not hasattr(function, 'wrapped_by_aams'):
        setattr(module, name, wrapper(function))
        getattr(module, name).wrapped_by_aams = True


def _with_local_copies(function):
    """One of the LOOK_UPS, called on the local directory where it is given an AAMS model's id.

    ``pipeline(task, model=id)`` asks the hub several times, and fails without one, before
    it comes to the pipeline's class. As callers have imported that function by its name
    already, what it calls is replaced. Anything but the id of an AAMS model goes through.
    """
    @functools.wraps(function)
    def look_up(name, *args, **kwargs):
        revision = args[0] if args else kwargs.get('revision')
        if name == hub.BUNDLED_DIRECTORY and function.__name__ == 'normalize_model_input':
            return hub.DefaultDirectory(revision)
        found = hub.local_copy(name, revision)
        if found is None:
            return function(name, *args, **kwargs)
        if function.__name__ == 'snapshot_download':
            return found.directory
        if function.__name__ == 'is_model_from_trusted_source':
            return found.source == hub.HUB and function(name, *args, **kwargs)
        return function(found.directory, *args, **kwargs)

    return look_up


def _refusing_style_transfer(is_embedding_task):
    """``is_embedding_task``, which ``pipeline`` calls once it found no pipeline for a model.

    It would go on to transformers, which has none for this task and says so in an error
    that lists its own tasks.
    """
    @functools.wraps(is_embedding_task)
    def refuse(task):
        if task == Tasks.image_style_transfer:
            raise ValueError('the model has no configuration.json that names a pipeline; '
                             f'expected a model directory such as {hub.BUNDLED_DIRECTORY}')
        return is_embedding_task(task)

    return refuse

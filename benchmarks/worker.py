"""One side of the comparison in a process of its own."""
import concurrent.futures
import multiprocessing
import time

PUBLISHED, OURS = 'published', 'ours'

# The side's pipeline, in the worker's process.
_pipeline = None


class Worker:
    """A fresh process with one side's pipeline; a context manager.

    Args:
        side: PUBLISHED or OURS.
        model: directory of the published model; of no meaning for OURS.

    Attributes:
        side: as given.
        started: time.perf_counter() before the process was started.
    """

    def __init__(self, side, model=None):
        self.side = side
        self.started = time.perf_counter()
        self._executor = concurrent.futures.ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context('spawn'))
        self._ask(_build, side, model)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._executor.shutdown()

    def _ask(self, function, *arguments, **options):
        return self._executor.submit(function, *arguments, **options).result()

    def stylize(self, content, style, **options):
        """Seconds that a call of the pipeline took, and the picture; all pictures BGR."""
        return self._ask(_stylize, content, style, **options)

    def product_rate(self, side=4096, repeat=3):
        """Operations a second of ``repeat`` float32 products of matrices of that side, each."""
        return self._ask(_product_rate, side, repeat)

    def peak(self):
        """Most memory, in bytes, that the process has held so far."""
        return self._ask(_peak)

    def traces(self):
        """How often TensorFlow has traced functions of our pipeline's network so far."""
        return self._ask(_traces)

    def configuration(self):
        """The NetworkConfiguration that our pipeline's network runs with."""
        return self._ask(_configuration)


def _build(side, model):
    global _pipeline
    if side == PUBLISHED:
        from modelscope.pipelines.cv.image_style_transfer_pipeline import (
            ImageStyleTransferPipeline)
        _pipeline = ImageStyleTransferPipeline(model=model, device='cpu')
    else:
        from modelscope.pipelines import pipeline
        from modelscope.utils.constant import Tasks

        import modelscope_aams  # noqa: F401  (registers our pipeline)
        _pipeline = pipeline(Tasks.image_style_transfer, device='cpu')


def _stylize(content, style, **options):
    start = time.perf_counter()
    result = _pipeline({'content': content, 'style': style}, **options)
    return time.perf_counter() - start, result['output_img']


def _product_rate(side, repeat):
    import tensorflow as tf
    factors = [tf.random.normal([side, side]) for _ in range(2)]
    tf.matmul(*factors)
    rates = []
    for _ in range(repeat):
        start = time.perf_counter()
        tf.matmul(*factors)
        rates.append(2 * side ** 3 / (time.perf_counter() - start))
    return rates


def _peak():
    # Not ru_maxrss, which a process inherits from the one that started it.
    with open('/proc/self/status', encoding='ascii') as file:
        kibibytes, = (line.split()[1] for line in file if line.startswith('VmHWM:'))
    return int(kibibytes) * 1024


def _traces():
    return _pipeline.model.transfer.traces


def _configuration():
    return _pipeline.model.transfer.network.configuration

"""Settings for the whole suite, made before TensorFlow or ModelScope is imported."""
import os
import signal
import tempfile

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'

# ModelScope neither reaches a hub (nothing answers on the discard port) nor finds or leaves
# models in the user's cache. Processes that tests start inherit both.
_CACHE = tempfile.TemporaryDirectory(prefix='aams-test-hub-')
os.environ['MODELSCOPE_ENDPOINT'] = 'http://127.0.0.1:9'
os.environ['MODELSCOPE_CACHE'] = _CACHE.name
# Of a download that breaks off the client would otherwise try to have the rest for half a minute.
os.environ['MODELSCOPE_DOWNLOAD_MAX_RETRIES'] = '1'
# Whatever proxy is set, the tests talk to this machine alone.
os.environ['NO_PROXY'] = os.environ['no_proxy'] = '127.0.0.1'

# A shell has what it starts in the background ignore Ctrl-C, and so whatever tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    # Keras's own way of reading a variable, thousands of times in the suite.
    config.addinivalue_line('filterwarnings', "ignore:__array__ implementation doesn't accept a "
                            'copy keyword:DeprecationWarning')

import pytest
import torch


@pytest.fixture(scope='package', autouse=True)
def one_thread():
    """PyTorch on one core, as in an evaluation: where tests share two, it waits for both."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)

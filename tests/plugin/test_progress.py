"""What a call tells of how far it is, and that telling it changes nothing."""
import itertools

import numpy as np
import pytest

from modelscope_aams.network.options import METHODS
from modelscope_aams.network.progress import CONTENT, PAINTING, STAGES, STYLE, TRANSFER


@pytest.fixture
def told():
    """A list, and a Progress that adds to it."""
    calls = []
    return calls, lambda *call: calls.append(call)


def stages(calls):
    return [stage for stage, _ in itertools.groupby(calls, key=lambda call: call[0])]


@pytest.mark.parametrize('method', METHODS)
def test_stages_in_order_and_the_same_picture(bundled, content, style, told, method):
    calls, tell = told
    found = bundled(content, style, method=method, progress=tell)
    np.testing.assert_array_equal(
        found['output_img'], bundled(content, style, method=method)['output_img'])
    assert stages(calls) == list(STAGES)
    for stage, among in itertools.groupby(calls, key=lambda call: call[0]):
        done = [share for _, share in among]
        assert done[0] == 0 and done == sorted(set(done)) and done[-1] < 1
    # The long ones say more than that they began.
    for stage in (CONTENT, PAINTING):
        assert len([call for call in calls if call[0] == stage]) > 2


def test_each_of_several_styles_counts(bundled, content, style, told):
    calls, tell = told
    mask = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (48, 1))
    bundled(content, [style, content], mask=mask, progress=tell)
    assert [call for call in calls if call[0] == STYLE] == [(STYLE, 0), (STYLE, 0.5)]
    assert stages(calls) == list(STAGES)


@pytest.mark.parametrize('batch_size', [None, 2])
def test_each_picture_of_a_list_starts_anew(bundled, content, style, told, batch_size):
    calls, tell = told
    bundled([content, style], style=style, batch_size=batch_size, progress=tell)
    assert stages(calls) == [*STAGES, *STAGES]


def test_an_error_in_it_ends_the_call(bundled, content, style):
    def refuse(stage, done):
        if stage == TRANSFER:
            raise KeyError(stage)

    with pytest.raises(KeyError, match=TRANSFER):
        bundled(content, style, progress=refuse)

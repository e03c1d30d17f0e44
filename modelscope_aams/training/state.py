"""The state of a training run on disk: whole or not there, never half-written."""
import pathlib
from typing import NamedTuple

import numpy as np
from keras import ops
from safetensors.numpy import load_file, save_file

from modelscope_aams.checkpoints.atomic import write_atomically

FILE_NAME = 'training_state.safetensors'


class TrainingState(NamedTuple):
    """Step, network and optimiser of a run, in full precision."""
    network: object
    optimiser: object

    def _variables(self):
        yield from self.network.named_variables().items()
        for number, variable in enumerate(self.optimiser.variables):
            yield f'optimiser/{number}', variable

    def save(self, folder, step: int):
        """Writes the state after ``step`` steps into ``folder``."""
        arrays = {name: np.ascontiguousarray(ops.convert_to_numpy(variable))
                  for name, variable in self._variables()}
        arrays['step'] = np.array(step, np.int64)
        write_atomically(pathlib.Path(folder) / FILE_NAME,
                         lambda temporary: save_file(arrays, temporary))

    def restore(self, folder) -> int:
        """Loads what ``save`` wrote; returns its step, or 0 if there is nothing.

        Raises:
            ValueError: if the state belongs to another network or optimiser.
        """
        path = pathlib.Path(folder) / FILE_NAME
        if not path.exists():
            return 0
        arrays = load_file(path)
        step = int(arrays.pop('step'))
        wanted = dict(self._variables())
        if set(arrays) != set(wanted):
            names = ', '.join(sorted(set(arrays) ^ set(wanted))[:5])
            raise ValueError(f'{path} belongs to another configuration: it differs in {names}')
        for name, variable in wanted.items():
            if tuple(variable.shape) != arrays[name].shape:
                raise ValueError(f'{path}: {name} is {arrays[name].shape}, '
                                 f'expected {tuple(variable.shape)}')
        for name, variable in wanted.items():
            variable.assign(arrays[name])
        return step

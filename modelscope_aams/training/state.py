"""The state of a training run on disk: whole or not there, never half-written."""
import json
import pathlib
from typing import Any, Mapping, NamedTuple, Tuple

import numpy as np
from keras import ops
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from modelscope_aams.checkpoints.atomic import write_atomically

FILE_NAME = 'training_state.safetensors'

#: The one entry of the file's metadata: what the run is of, as JSON.
ORIGIN = 'origin'


class TrainingState(NamedTuple):
    """Step, network and optimiser of a run, in full precision."""
    network: object
    optimiser: object

    def _variables(self):
        yield from self.network.named_variables().items()
        for number, variable in enumerate(self.optimiser.variables):
            yield f'optimiser/{number}', variable

    def save(self, folder, step: int, origin: Mapping[str, Any]):
        """Writes the state after ``step`` steps into ``folder``.

        Args:
            origin: what the run is of (JSON-like), for comparison when it is taken up.
        """
        arrays = {name: np.ascontiguousarray(ops.convert_to_numpy(variable))
                  for name, variable in self._variables()}
        arrays['step'] = np.array(step, np.int64)
        write_atomically(pathlib.Path(folder) / FILE_NAME,
                         lambda temporary: save_file(arrays, temporary,
                                                     {ORIGIN: json.dumps(origin)}))

    def restore(self, folder) -> Tuple[int, Mapping[str, Any]]:
        """Loads what ``save`` wrote; returns its step and origin, or 0 and {} if there is none.

        Raises:
            ValueError: if the file is damaged, or belongs to another network or optimiser.
        """
        path = pathlib.Path(folder) / FILE_NAME
        if not path.exists():
            return 0, {}
        try:
            with safe_open(str(path), framework='numpy') as file:
                origin = json.loads((file.metadata() or {}).get(ORIGIN, '{}'))
                arrays = {name: file.get_tensor(name) for name in file.keys()}
        except (SafetensorError, json.JSONDecodeError) as error:
            raise ValueError(f'{path} is no whole state of training ({error}); '
                             'remove it to begin anew') from None
        step = int(arrays.pop('step', 0))
        wanted = dict(self._variables())
        if set(arrays) != set(wanted):
            names = ', '.join(sorted(set(arrays) ^ set(wanted))[:5])
            raise ValueError(f'{path} belongs to another configuration: it differs in {names}')
        for name, variable in wanted.items():
            # NumPy's contiguous arrays, which the file holds, have one dimension at least.
            shape = tuple(variable.shape) or (1,)
            if shape != arrays[name].shape:
                raise ValueError(f'{path}: {name} is {arrays[name].shape}, expected {shape}')
        for name, variable in wanted.items():
            variable.assign(arrays[name].reshape(variable.shape))
        return step, origin

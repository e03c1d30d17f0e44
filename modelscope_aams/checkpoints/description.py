"""What is kept beside the arrays in a file of weights: the network's configuration, as text."""
import dataclasses
import json
from typing import Union

from modelscope_aams.network.configuration import NetworkConfiguration, from_mapping

from .layout import CheckpointError

#: Name of the entry that holds the text: a JSON object with version and configuration.
DESCRIPTION = 'modelscope-aams'
VERSION = 1


def described(configuration: NetworkConfiguration) -> str:
    """The text that :func:`read_description` reads."""
    return json.dumps({'version': VERSION, 'configuration': dataclasses.asdict(configuration)})


def read_description(text: Union[str, bytes], path) -> NetworkConfiguration:
    """The configuration in the text of an entry in ``path``.

    Raises:
        CheckpointError: if it is of another version, or no such text.
    """
    try:
        entry = json.loads(text)
        version = entry['version']
        if version == VERSION:
            return from_mapping(NetworkConfiguration, entry['configuration'], 'configuration')
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise CheckpointError(
            f'{path}: its entry {DESCRIPTION} is wrong: {error}') from None
    raise CheckpointError(f'{path} is of format version {version!r}; expected {VERSION}')

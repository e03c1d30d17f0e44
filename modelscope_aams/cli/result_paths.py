"""Which pictures a command takes, and which files it will write for them."""
import collections
import os
import pathlib
from typing import List, NamedTuple, Optional

from modelscope_aams.pictures.folder import pictures_in
from modelscope_aams.pictures.writing import is_writable, require_writable


class Job(NamedTuple):
    """One picture's way: the content's path, its result's, and its heat map's if any."""
    content: pathlib.Path
    output: pathlib.Path
    attention_map: Optional[pathlib.Path]


def plan_jobs(content, output, with_attention_map=False) -> List[Job]:
    """Pairs each content with the files to write for it; writes nothing.

    Args:
        content: a picture's path, or a folder's, whose pictures (known by their endings,
            hidden files left out) are all taken, in the order of their names.
        output: for one content a file, or a folder that exists or ends in a slash; for a
            folder of contents a folder. Inside a folder, a result has its content's name,
            with ``.png`` added if that is of a kind which is not written.
        with_attention_map: whether ``NAME.attention.png`` is to be written beside a result.

    Raises:
        ValueError: if a result's kind is not written, the output is a file and the content
            a folder, or there are no pictures in that.
        OSError: if a folder cannot be read.
    """
    folder = pathlib.Path(content)
    output_is_folder = os.fspath(output).endswith(('/', os.sep)) or os.path.isdir(output)
    output = pathlib.Path(output)
    if folder.is_dir():
        if output.exists() and not output_is_folder:
            raise ValueError(f'{output} is a file; expected a folder, as {folder} is one')
        contents = pictures_in(folder)
        results = [output / _result_name(path) for path in contents]
    else:
        contents = [folder]
        results = [output / _result_name(folder) if output_is_folder else output]
    for result in results:
        require_writable(result)

    maps = _map_paths(results) if with_attention_map else [None] * len(results)
    return [Job(*paths) for paths in zip(contents, results, maps)]


def check_outputs(outputs, inputs):
    """Raises ValueError if a file to write is also read, or would be written twice."""
    kept = {os.path.realpath(path) for path in inputs}
    written = set()
    for path in outputs:
        real = os.path.realpath(path)
        if real in kept:
            raise ValueError(f'{path} is an input and would be overwritten; '
                             'choose another output')
        if real in written:
            raise ValueError(f'{path} would be written twice; rename a content or an output')
        written.add(real)


def _result_name(content):
    return content.name if is_writable(content) else f'{content.name}.png'


def _map_paths(results):
    """NAME.attention.png; NAME keeps its ending where results differ in that alone."""
    stems = collections.Counter(result.stem for result in results)
    return [result.with_name(
        f'{result.stem if stems[result.stem] == 1 else result.name}.attention.png')
        for result in results]

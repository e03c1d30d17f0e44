"""Files and folders that are whole or not there, never half-written."""
import os
import pathlib
import shutil
import tempfile


def write_atomically(path, write):
    """Calls ``write(temporary_path)``, then puts the file in place in one move."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    os.close(handle)
    try:
        write(temporary)
        with open(temporary, 'rb+') as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        pathlib.Path(temporary).unlink(missing_ok=True)
        raise


def write_directory_atomically(path, write):
    """Calls ``write(temporary_path)`` on a folder, then puts that in place in one move.

    ``path`` must not be there yet, or be an empty folder.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = tempfile.mkdtemp(dir=path.parent, prefix=f'.{path.name}.')
    try:
        write(temporary)
        os.chmod(temporary, 0o755)
        os.replace(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise

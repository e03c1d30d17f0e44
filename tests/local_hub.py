"""A ModelScope hub on this machine, as the client (modelscope 1.40, modelscope_hub 0.5) asks one.

What it asks, as its requests were watched:

- ``snapshot_download``: ``GET /api/v1/models/ID/repo/files?Revision=R&Recursive=True``, then for
  each file ``GET /api/v1/models/ID/repo?Revision=R&FilePath=P``, four at a time; a cached file of
  the listed Size and Sha256 is not asked for. Once a process it asks
  ``/api/v1/repos/internalAccelerationInfo`` for a region, and goes on without one.
- ``model_file_download``: ``/api/v1/models/ID/revisions`` if no revision is named, of which it
  takes the newest tag (so for ``v1.0``, not ``master``), then the file alone.
- ``pipeline(model=ID)`` and ``Model.from_pretrained(ID)``: ``GET /openapi/v1/models/ID`` for the
  publisher (once a process) and for whether the model exists, after a 404 also
  ``GET /api/v1/models/ID``; the file configuration.json (pipeline alone), then all files.
  ``get_model`` and ``repo_exists`` of HubApi ask the same, ``get_valid_revision`` for revisions.

Files in Git LFS are redirected to a store that honours Range (206, 416) and tells the object's
hash in X-Linked-ETag; others are answered at once, and whole. The client resumes a body that
broke off from ``FILE.incomplete``, and moves what has the listed size and hash to ``FILE``.
"""
import contextlib
import datetime
import enum
import hashlib
import http.server
import json
import pathlib
import re
import socket
import threading
import urllib.parse

#: Ends of the names of files that are kept in Git LFS.
LFS = ('.pb', '.safetensors')
_LISTED, _REVISIONS, _FILE, _MODEL = '/repo/files', '/revisions', '/repo', ''
_MODEL_PATH = re.compile(r'/(?P<api>api|openapi)/v1/models/(?P<id>[^/]+/[^/]+)'
                         rf'(?P<what>{_LISTED}|{_REVISIONS}|{_FILE}|{_MODEL})')
_STORE_PATH = re.compile(r'/store/(?P<hash>[0-9a-f]{64})/(?P<name>.+)')


class Fault(enum.Enum):
    """What may be wrong with a file, or with all that a hub answers."""
    #: Other bytes than those listed, as many.
    WRONG_BYTES = 'wrong bytes'
    #: The connection ends after half of the body.
    BREAKS_OFF = 'breaks off'
    MISSING = 'missing'
    SERVER_ERROR = 'server error'
    #: The connection stays open, and nothing comes.
    SILENT = 'silent'


class LocalHub(http.server.ThreadingHTTPServer):
    """Serves models from directories, from construction to :meth:`close`.

    Attributes:
        requested: method and path with query of every request, in order.
        resumed: names of the files of which a part was asked for, in order.
        url: where it is, for MODELSCOPE_ENDPOINT.
    """
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), _Request)
        self.requested, self.resumed = [], []
        self.url = f'http://127.0.0.1:{self.server_port}'
        self._models, self._faults, self._lock = {}, {}, threading.Lock()
        self._released, self._connections = threading.Event(), set()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def publish(self, directory, model_id: str, revision: str = 'master', tag: bool = False):
        """Makes a directory's files a revision, a branch or a tag, of a model."""
        self._models.setdefault(model_id, {})[revision] = (pathlib.Path(directory), tag)

    def withdraw(self, model_id: str):
        """Takes all revisions of a model from the hub."""
        del self._models[model_id]

    def fail(self, name, fault: Fault, times: int = None):
        """Puts a fault to the file ``name``, or with None to all answers; ``times`` only."""
        self._faults[name] = [fault, times]

    def repair(self):
        """Takes back all faults."""
        self._faults.clear()

    def downloads(self, name: str):
        """The requests for one file, without those that its redirection led to."""
        asked = urllib.parse.urlencode({'FilePath': name})
        return [line for line in self.requested if line.endswith(asked)]

    def close(self):
        """Nothing answers at ``url`` from here on."""
        self._released.set()
        self.shutdown()
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request, client_address):
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self._connections.discard(request)
        super().shutdown_request(request)

    def files(self, model_id: str, revision: str):
        """The paths of a revision by their names in it; LookupError if there is none."""
        directory, _ = self._models[model_id][revision]
        return {path.relative_to(directory).as_posix(): path
                for path in sorted(directory.rglob('*')) if path.is_file()}

    def revisions(self, model_id: str):
        """Names of branches and of tags; LookupError if there is no such model."""
        revisions = self._models[model_id].items()
        return tuple([name for name, (_, tag) in revisions if tag is wanted]
                     for wanted in (False, True))

    def object(self, digest: str):
        """The file in the store that has this hash; LookupError if none has."""
        for revisions in self._models.values():
            for directory, _ in revisions.values():
                for path in directory.rglob('*'):
                    if path.is_file() and _sha256(path) == digest:
                        return path
        raise LookupError(digest)

    def fault_of(self, name):
        """The fault that a request for ``name`` meets, if any."""
        with self._lock:
            fault = self._faults.get(name)
            if fault is None or fault[1] == 0:
                return None
            if fault[1] is not None:
                fault[1] -= 1
            return fault[0]

    def keep_silent(self):
        """Returns when the hub is closed."""
        self._released.wait()

    def handle_error(self, request, client_address):
        """Says nothing of clients that went away."""


class _Request(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_HEAD(self):
        self._handle()

    def do_GET(self):
        self._handle()

    def _handle(self):
        self.server.requested.append(f'{self.command} {self.path}')
        fault = self.server.fault_of(None)
        if fault is Fault.SILENT:
            self.server.keep_silent()
        elif fault is Fault.SERVER_ERROR:
            self._refuse(500, 'out of order')
        elif self.command == 'HEAD':
            self._answer(b'')
        else:
            self._answer_get(urllib.parse.urlparse(self.path))

    def _answer_get(self, url):
        query = dict(urllib.parse.parse_qsl(url.query))
        model, stored = _MODEL_PATH.fullmatch(url.path), _STORE_PATH.fullmatch(url.path)
        try:
            if stored:
                self._stored(stored['hash'], stored['name'])
            elif model is None:
                self._refuse(404, 'no such page')
            elif model['api'] == 'openapi':
                self.server.revisions(model['id'])
                self._json(_openapi_model(model['id']))
            elif model['what'] == _LISTED:
                self._data({'Files': list(self._listed(model['id'], query))})
            elif model['what'] == _REVISIONS:
                self._data({'RevisionMap': self._revisions(model['id'])})
            elif model['what'] == _FILE:
                self._file(query['FilePath'],
                           self.server.files(model['id'], query['Revision'])[query['FilePath']])
            else:
                self.server.revisions(model['id'])
                owner, name = model['id'].split('/')
                self._data({'Id': 1, 'Path': owner, 'Name': name, 'Visibility': 5})
        except LookupError:
            self._refuse(404, 'Model does not exist.' if model else 'no such object')

    def _listed(self, model_id, query):
        files = self.server.files(model_id, query['Revision'])
        folders = {parent.as_posix() for name in files
                   for parent in pathlib.PurePosixPath(name).parents} - {'.'}
        for name in sorted(folders):
            yield {'Path': name, 'Name': name.split('/')[-1], 'Type': 'tree', 'Size': 0,
                   'Sha256': '', 'IsLFS': False, 'Revision': '0' * 40}
        for name, path in files.items():
            yield {'Path': name, 'Name': path.name, 'Type': 'blob', 'Mode': '33188',
                   'Size': path.stat().st_size, 'Sha256': _sha256(path),
                   'IsLFS': name.endswith(LFS), 'Revision': _sha256(path)[:40],
                   'CommittedDate': int(path.stat().st_mtime)}

    def _revisions(self, model_id):
        branches, tags = self.server.revisions(model_id)
        return {kind: [{'Revision': name, 'CreatedAt': 1_600_000_000 + number}
                       for number, name in enumerate(names)]
                for kind, names in (('Branches', branches), ('Tags', tags))}

    def _file(self, name, path):
        if name.endswith(LFS):
            self.send_response(302)
            self.send_header('Location', f'{self.server.url}/store/{_sha256(path)}/{name}')
            self.send_header('Content-Length', '0')
            self.end_headers()
        else:
            self._deliver(name, path.read_bytes(), {})

    def _stored(self, digest, name):
        self._deliver(name, self.server.object(digest).read_bytes(), {
            'X-Linked-ETag': f'"{digest}"', 'ETag': f'"{digest[:32]}"', 'Accept-Ranges': 'bytes'})

    def _deliver(self, name, content, headers):
        fault = self.server.fault_of(name)
        if fault is Fault.MISSING:
            return self._refuse(404, 'no such file')
        if fault is Fault.SERVER_ERROR:
            return self._refuse(500, 'out of order')
        if fault is Fault.WRONG_BYTES:
            content = bytes(255 - byte for byte in content[:64]) + content[64:]
        status, total = 200, len(content)
        start = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range', ''))
        if start and 'Accept-Ranges' in headers:
            start = int(start[1])
            self.server.resumed.append(name)
            if start >= total:
                return self._answer(b'', 416, {'Content-Range': f'bytes */{total}'})
            status, content = 206, content[start:]
            headers = {**headers, 'Content-Range': f'bytes {start}-{total - 1}/{total}'}
        sent = content
        if fault in (Fault.BREAKS_OFF, Fault.SILENT):
            sent = content[:len(content) // 2]
        self._answer(sent, status, {**headers, 'Content-Length': str(len(content))})
        if fault is Fault.SILENT:
            self.wfile.flush()
            self.server.keep_silent()
        if fault is Fault.BREAKS_OFF:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _data(self, data):
        self._json({'Code': 200, 'Success': True, 'Message': 'success', 'RequestId': 'local',
                    'Data': data})

    def _refuse(self, status, message):
        """An error in the words of either interface of the hub."""
        if self.path.startswith('/openapi/'):
            code = 'ResourceNotFound' if status == 404 else 'InternalServerError'
            error = {'success': False, 'code': code, 'message': message, 'request_id': 'local'}
        else:
            error = {'Code': status, 'Success': False, 'Message': message, 'RequestId': 'local'}
        self._json(error, status)

    def _json(self, value, status=200):
        self._answer(json.dumps(value).encode(), status, {'Content-Type': 'application/json'})

    def _answer(self, content, status=200, headers=None):
        self.send_response(status)
        for name, value in {'Content-Length': str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def _openapi_model(model_id):
    now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')
    return {'success': True, 'request_id': 'local', 'data': {
        'id': model_id, 'display_name': model_id.split('/')[1], 'private': False, 'downloads': 1,
        'license': 'Apache License 2.0', 'tasks': ['image-style-transfer'], 'created_at': now}}


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()

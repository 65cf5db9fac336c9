"""An SFTP server on this machine that shows one folder, for tests/audit/test_remote.py."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import paramiko


class Host:
    """Serves `folder` to whoever has the key; `port` once it listens."""

    def __init__(self, folder: Path, *, host_key: paramiko.PKey, user_key: paramiko.PKey) -> None:
        self._folder, self._host_key, self._user_key = folder, host_key, user_key
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[paramiko.Transport] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def hang_up(self) -> None:
        """End the connections; new ones are welcome."""
        for transport in self._open:
            transport.close()

    def close(self) -> None:
        self._listener.close()
        self.hang_up()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _files_of(self._folder))
            self._open.append(transport)
            transport.start_server(server=_Door(self._user_key), event=threading.Event())


class _Door(paramiko.ServerInterface):
    """Lets in who has the key."""

    def __init__(self, key: paramiko.PKey) -> None:
        self._key = key

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if key == self._key else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


def _files_of(folder: Path) -> Callable[..., paramiko.SFTPServerInterface]:
    class Files(paramiko.SFTPServerInterface):
        def list_folder(self, path: str) -> list[paramiko.SFTPAttributes] | int:
            here = folder / path.lstrip("/")
            if not here.is_dir():
                return int(paramiko.SFTP_NO_SUCH_FILE)
            return [paramiko.SFTPAttributes.from_stat(file.stat(), file.name) for file in here.iterdir()]

        def stat(self, path: str) -> paramiko.SFTPAttributes | int:
            try:
                return paramiko.SFTPAttributes.from_stat(os.stat(folder / path.lstrip("/")))
            except FileNotFoundError:
                return int(paramiko.SFTP_NO_SUCH_FILE)

        lstat = stat

        def open(self, path: str, flags: int, attr: object) -> paramiko.SFTPHandle | int:
            try:
                handle = paramiko.SFTPHandle(flags)
                handle.readfile = (folder / path.lstrip("/")).open("rb")
                return handle
            except FileNotFoundError:
                return int(paramiko.SFTP_NO_SUCH_FILE)

    return Files

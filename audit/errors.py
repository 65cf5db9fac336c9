"""Failures that people are told about, each one Chinese sentence: what, where, what to do. Those of a single task
(a batch, an appeal, a sign-in …) are defined beside it, all of them below `AuditError`.

    AuditError                   exit code 2
    ├── BadConfig                callaudit.toml or an option
    ├── BadCalls                 calls.csv as a whole; single bad rows are reported and don't stop the others
    ├── StoreError               the store can't be opened, read or written
    │   ├── StoreFull            no space, or a size limit
    │   └── BadKey               the key of an encrypted store is missing, malformed or another one
    ├── BadCases                 cases.csv or payments.csv as a whole
    ├── BadComplaints            complaints.csv as a whole
    └── BadPath                  a path on the command line
    transcribe.errors.TranscribeError      one recording: a row in `failures`, exit code 3
    rules.load.RuleErrors                  a rule pack: exit code 2

The command line turns them into messages on stderr (audit/terminal.py); the library never prints.
"""

from __future__ import annotations

import errno
import re
from enum import IntEnum


class Exit(IntEnum):
    """Exit codes. Failures win over findings: a batch that lost calls has not shown what the lost ones hold."""

    CLEAN = 0
    FINDINGS = 1  # violations at or above --fail-on
    COULD_NOT_RUN = 2
    SOME_FAILED = 3  # recordings, or the rules across calls
    INTERRUPTED = 130  # ctrl-C, as shells have it


class AuditError(Exception):
    """Base of what this package raises for people to read."""


class BadConfig(AuditError):
    """A configuration file that can't be used; names file, key and what is allowed."""


class BadCalls(AuditError):
    """A call list that can't be read at all: no file, no usable header, unknown encoding."""


class BadCases(AuditError):
    """A list of cases or payments that can't be read at all: no file, no usable header, unknown encoding."""


class BadComplaints(AuditError):
    """A list of complaints that can't be read at all: no file, no usable header, unknown encoding."""


class BadPath(AuditError):
    """A path given by the user that isn't there or can't be written."""


class StoreError(AuditError):
    """The store can't be opened, read or written; the message names the file."""


class StoreFull(StoreError):
    """No space left for the store. What was committed before stays."""


class BadKey(StoreError):
    """The key of an encrypted store; the message never holds it."""


def escaped(text: str) -> str:
    """The text with those bytes of a file name that are not UTF-8 written out, as \\xd2."""
    return re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)


def os_reason(error: OSError) -> str:
    """Why the system refused, in Chinese where it is one of the usual reasons."""
    reasons = {
        errno.ENOENT: "不存在",
        errno.EACCES: "没有权限",
        errno.EPERM: "没有权限",
        errno.EISDIR: "这是文件夹",
        errno.ENOTDIR: "路径中有一段不是文件夹",
        errno.EEXIST: "已有同名的文件",
        errno.ENOSPC: "磁盘已满",
        errno.EROFS: "磁盘是只读的",
        errno.EFBIG: "文件超过了允许的大小",
    }
    return reasons.get(error.errno or 0, error.strerror or type(error).__name__)

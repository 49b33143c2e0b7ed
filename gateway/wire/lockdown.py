"""Take from this process everything it does not need to read documents: memory, files, the network, other processes.

A filter in the kernel (seccomp, Linux) lets only the calls through that a running parser makes; every other one fails, for
this process and for good. It needs no privilege. Sources: seccomp(2), prctl(2), the syscall tables of Linux for x86_64
(arch/x86/entry/syscalls/syscall_64.tbl) and aarch64 (include/uapi/asm-generic/unistd.h), include/uapi/linux/audit.h.
"""

import ctypes
import errno
import platform
import resource
import struct
from pathlib import Path

# The calls that stay allowed, with their numbers on x86_64 and on aarch64. What acts on another process (kill, prlimit64),
# opens a file or makes a socket is not among them.
_CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "clock_gettime": (228, 113),
    "gettimeofday": (96, 169),
    "getrandom": (318, 278),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # number for the kernel, column above

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF: load a word, jump if equal, return
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_AT_CALL, _AT_ARCHITECTURE = 0, 4  # places in what the filter looks at
_NO_NEW_PRIVILEGES, _SET_FILTER, _MODE_FILTER = 38, 22, 2


def supported() -> bool:
    """Tell whether this machine is one whose calls are known here."""
    return platform.system() == "Linux" and platform.machine() in _ARCHITECTURES


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def program(machine: str) -> bytes:
    """Return the filter for a machine, as the kernel reads it."""
    architecture, column = _ARCHITECTURES[machine]
    calls = [numbers[column] for numbers in _CALLS.values()]
    steps = [_step(_LOAD, _AT_ARCHITECTURE), _step(_EQUAL, architecture, 1, 0), _step(_RETURN, _KILL), _step(_LOAD, _AT_CALL)]
    for place, call in enumerate(calls):
        steps.append(_step(_EQUAL, call, len(calls) - place, 0))  # to the last step
    return b"".join([*steps, _step(_RETURN, _FAIL), _step(_RETURN, _ALLOW)])


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def lock_down(megabytes: int) -> None:
    """Let this process grow by so much and no more, and take files, network and processes from it. Raises `OSError`."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    memory = pages * resource.getpagesize() + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    for limit in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
        resource.setrlimit(limit, (0, 0))
    steps = program(platform.machine())
    held = ctypes.create_string_buffer(steps, len(steps))
    made = _Program(len(steps) // 8, ctypes.cast(held, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_ulong
    for words in (
        (_NO_NEW_PRIVILEGES, number(1), number(0), number(0), number(0)),
        (_SET_FILTER, number(_MODE_FILTER), ctypes.byref(made), number(0), number(0)),
    ):
        if libc.prctl(*words) != 0:
            raise OSError(ctypes.get_errno(), "the kernel takes no filter of calls")

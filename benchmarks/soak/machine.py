"""What a soak ran on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from gateway.transport.node import PrivateNode
from soak.postgres import PrivatePostgres


def machine(postgres: PrivatePostgres, node: PrivateNode) -> dict[str, Any]:
    """Return processor, memory and versions; both servers run."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": postgres.version(),
        "rabbitmq": node.control("version").strip(),
        "gateway": version("readmission-gateway"),
    }


def _cpu_name() -> str:
    information = Path("/proc/cpuinfo")
    names = (
        [line for line in information.read_text().splitlines() if line.startswith("model name")] if information.exists() else []
    )
    return names[0].partition(":")[2].strip() if names else platform.processor()

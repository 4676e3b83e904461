"""The embedded model's server process: it reads its settings from standard input and leaves when that input closes.

It imports nothing of Assent, so that it starts in a fraction of a second, and it listens on the loopback address only.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

_WATCH_SECONDS = 1.0


def main() -> None:
    """Serve until standard input ends or the parent process is another one."""
    settings = json.loads(sys.stdin.readline())
    parent = settings["parent"]
    # Native code may print; the one line for the parent goes out on a descriptor of its own.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    threading.Thread(target=_leave_with_the_input, daemon=True).start()
    server = start(settings)
    answer.write(json.dumps({"address": server.listening_address}) + "\n")
    answer.flush()
    while sys.platform == "win32" or os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(0)


def start(settings: dict[str, Any]) -> Any:
    """Start llama.cpp's server with everything switched off that a local, private server does not need."""
    import xllamacpp  # type: ignore[import-untyped]

    params = xllamacpp.CommonParams()
    params.model.path = settings["gguf"]
    params.model_alias = {settings["model"]}
    params.hostnames = ["127.0.0.1"]
    params.port = settings["port"]
    params.api_keys = [settings["api_key"]]
    # No page of another origin may read answers; the default, "*", lets every page.
    params.cors_origins = "http://127.0.0.1"
    params.cors_origins_explicit = True
    params.cors_credentials = False
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_metrics = False
    params.offline = True
    params.fit_params = False
    params.cache_ram_mib = settings["cache_ram_mib"]
    params.n_gpu_layers = settings["gpu_layers"]
    params.n_ctx = settings["context"]
    params.n_parallel = settings["parallel"]
    for threads in (params.cpuparams, params.cpuparams_batch):
        threads.n_threads = settings["threads"]
        threads.poll = 0
    params.n_threads_http = settings["parallel"] + 2
    # Prompts hold customers' words: only errors are logged.
    params.verbosity = 1
    return xllamacpp.Server(params)


def _leave_with_the_input() -> None:
    while sys.stdin.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()

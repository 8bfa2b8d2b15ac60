"""All benchmarks: `python -m tests.benchmarks.speed`.

The numeric ones run twice, each time in a process of its own: with the libraries' default number of
threads, and with one thread for each of them. On a busy machine small products of NumPy's OpenBLAS
with more than one thread take many times as long.
"""

import os
import subprocess
import sys

from tests.benchmarks import derivations, imports

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "NPROC": "1",  # JAX's CPU client
}


def numbers(threads: dict[str, str]) -> None:
    """The numeric benchmarks in a fresh process with these settings."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"} | threads
    subprocess.run([sys.executable, "-m", "tests.benchmarks.numbers"], check=True, env=environment)


def main() -> None:
    """Print every ratio."""
    derivations.main()
    for title, threads in (("default threads", {}), ("one thread each", ONE_THREAD)):
        print(f"-- {title}", flush=True)
        numbers(threads)
    imports.main()


if __name__ == "__main__":
    main()

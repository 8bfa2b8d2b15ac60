"""What importing symrnn costs, each time in a fresh process, and what it leaves alone."""

import os
import subprocess
import sys
import tempfile

from tests.benchmarks.timing import by_turns, report

HEAVY = ("tensorflow", "keras", "h5py", "click", "sympy.combinatorics")  # SymPy imports the last with the first sum


def run(code: str, cache: str | None = None) -> str:
    """Run a line of Python in a fresh process and return what it prints.

    `cache` is where compiled modules are kept from one run to the next, as they are after an installation.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    if cache is not None:
        environment["PYTHONPYCACHEPREFIX"] = cache
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def against_sympy(rounds: int = 15) -> list[float]:
    """A process that imports symrnn, and one that imports `derive`, against one that imports sympy."""
    codes = {
        "sympy": "import sympy",
        "import symrnn": "import symrnn",
        "from symrnn import derive": "from symrnn import derive",
    }
    with tempfile.TemporaryDirectory() as cache:
        works = {name: (lambda code=code: run(code, cache)) for name, code in codes.items()}
        times = by_turns(works, rounds)
    return [report(f"{name} : import sympy", times[name], times["sympy"], "<= 1.3") for name in list(codes)[1:]]


def imported() -> list[str]:
    """Those of `HEAVY` that importing symrnn, and all it is made of, imports: none is asked for."""
    names = ", ".join(map(repr, HEAVY))
    code = f"from symrnn import check, derive; import sys; print(*[name for name in ({names},) if name in sys.modules])"
    found = run(code).split()
    print(f"importing symrnn imports of {', '.join(HEAVY)}: {', '.join(found) or 'none'}")
    return found


def main() -> None:
    """Print the ratios and what is imported."""
    against_sympy()
    imported()


if __name__ == "__main__":
    main()

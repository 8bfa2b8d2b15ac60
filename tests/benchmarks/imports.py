"""What `import symrnn` costs, each time in a fresh process, and what it leaves alone."""

import subprocess
import sys

from tests.benchmarks.timing import by_turns, report

HEAVY = ("tensorflow", "keras", "h5py", "click")


def run(code: str) -> str:
    """Run a line of Python in a fresh process and return what it prints."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def against_sympy(rounds: int = 15) -> float:
    """The time of a process that imports symrnn, against one that imports sympy."""
    works = {name: (lambda name=name: run(f"import {name}")) for name in ("symrnn", "sympy")}
    times = by_turns(works, rounds)
    return report("import symrnn : import sympy", times["symrnn"], times["sympy"], "<= 1.3")


def imported() -> list[str]:
    """Those of `HEAVY` that importing symrnn imports: none is asked for."""
    code = f"import symrnn, sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    found = run(code).split()
    print(f"import symrnn imports of {', '.join(HEAVY)}: {', '.join(found) or 'none'}")
    return found


def main() -> None:
    """Print the ratio and what is imported."""
    against_sympy()
    imported()


if __name__ == "__main__":
    main()

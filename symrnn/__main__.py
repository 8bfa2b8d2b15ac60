"""The command `symrnn`, which is `python -m symrnn` too: interrupted while it loads, it ends as it does later."""

import sys

try:
    from symrnn.cli import main
except KeyboardInterrupt:
    print("symrnn: interrupted", file=sys.stderr)
    sys.exit(130)

if __name__ == "__main__":
    main()

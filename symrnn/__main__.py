"""The command `symrnn`, which is `python -m symrnn` too: what stops it while it loads is one line, as it is later."""

import sys

try:
    from symrnn.cli import main
except KeyboardInterrupt:
    print("symrnn: interrupted", file=sys.stderr)
    sys.exit(130)
except ImportError as error:
    print(f"symrnn: {error}; pip install symrnn installs what it needs", file=sys.stderr)
    sys.exit(2)

if __name__ == "__main__":
    main()

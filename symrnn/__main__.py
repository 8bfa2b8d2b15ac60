"""`python -m symrnn` is the command line."""

from symrnn.cli import main

if __name__ == "__main__":
    main()

"""Run the command line with ``python -m bayesreg``."""

from bayesreg.cli import main

if __name__ == "__main__":
    main()

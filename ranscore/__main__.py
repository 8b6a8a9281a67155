"""`python -m ranscore` is the command `ranscore`."""

import sys

from ranscore.commands import main

if __name__ == "__main__":
    sys.exit(main())

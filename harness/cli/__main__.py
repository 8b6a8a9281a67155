"""`python -m harness.cli` is the command `ranscore`."""

import sys

from harness.cli import main

sys.exit(main())

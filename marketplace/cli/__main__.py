"""`python -m marketplace.cli`."""

import sys

from marketplace.cli import main

sys.exit(main())

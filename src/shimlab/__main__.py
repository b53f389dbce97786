"""`python -m shimlab` is the command `shimlab`."""

import sys

from shimlab.cli import main

sys.exit(main())

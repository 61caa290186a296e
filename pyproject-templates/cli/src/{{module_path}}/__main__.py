"""`python -m {{module}}` is the command `{{name}}`."""

import sys

from {{module}}.cli import main

sys.exit(main())

"""So that `python3 scripts/audit-check FILE` works from a checkout."""

import sys

from audit_check.__main__ import main

sys.exit(main(sys.argv[1:]))

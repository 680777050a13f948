"""`./rekindle faults [--quick]`: tests/faults as a measurement, whose last line is one JSON object."""

from __future__ import annotations

import os
import sys

from retention_site.embedded.commands.bench import forget_user_settings
from retention_site.embedded.foreground import run_python
from retention_site.embedded.process import EngineError
from retention_site.embedded.state import ROOT

if __name__ == "__main__":
    try:
        # It starts engines of its own, because it has to stop and start them.
        sys.exit(run_python(["-m", "tests.faults.run", *sys.argv[1:]], forget_user_settings(os.environ), ROOT))
    except EngineError as error:
        sys.exit(f"rekindle: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

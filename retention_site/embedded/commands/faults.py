"""`./rekindle faults [--quick]`: tests/faults as a measurement, whose last line is one JSON object."""

from __future__ import annotations

import sys

from retention_site.embedded.commands.bench import run_on_throwaway_engines
from retention_site.embedded.process import EngineError

if __name__ == "__main__":
    try:
        sys.exit(run_on_throwaway_engines("tests.faults.run", sys.argv[1:]))
    except EngineError as error:
        sys.exit(f"rekindle: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

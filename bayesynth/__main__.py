"""``python -m bayesynth`` is the same as ``bayesynth``."""

import sys

from bayesynth.cli import main

if __name__ == "__main__":
    sys.exit(main())

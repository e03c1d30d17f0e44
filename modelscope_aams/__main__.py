"""``python -m modelscope_aams``: the ``aams`` command."""
import sys

from modelscope_aams.cli.main import main

sys.exit(main())

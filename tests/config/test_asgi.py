from __future__ import annotations

import subprocess
import sys

from config.services.places import CHECKOUT


def test_a_new_process_has_the_pages_modules_before_its_first_visitor() -> None:
    program = "import sys; import config.asgi; sys.exit('leaderboard.urls' not in sys.modules)"
    subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, check=True)

"""Barnabas, the program under test. BARNABAS_BIN names another build than build/release/bin/barnabas."""

import os
from pathlib import Path

from rig.node import Node

BINARY = Path(os.environ.get("BARNABAS_BIN", Path(__file__).parents[3] / "build/release/bin/barnabas")).absolute()


class Barnabas(Node):
    kind = "barnabas"

    def server_argv(self):
        return [str(BINARY), "server"]

    def storage_argv(self):
        return [str(BINARY), "storage"]

    def start(self, overrides=None, timeout=20):
        return super().start(overrides, timeout)

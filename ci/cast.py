"""Draws docs/cast.svg from a real run: `python3 ci/cast.py` with `rich` installed, `portplan` in the PATH."""

import io
import os
import re
import shutil
import subprocess
import tempfile

from rich.console import Console
from rich.text import Text

WIDTH = 116
COMMANDS = [
    "portplan check --format concise",
    "portplan fix --diff",
    "portplan fix",
    "portplan check --format concise",
]

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
console = Console(record=True, width=WIDTH, force_terminal=True, file=io.StringIO(), color_system="truecolor")
with tempfile.TemporaryDirectory() as folder:
    shop = shutil.copytree(os.path.join(root, "fixtures/shop"), os.path.join(folder, "shop"))
    for command in COMMANDS:
        console.print(Text("$ ", style="bold green") + Text(command, style="bold"))
        # a terminal, so that there are colours
        shown = subprocess.run(
            ["script", "-qec", f"stty cols {WIDTH}; {command}", "/dev/null"],
            cwd=shop, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env={**os.environ, "TERM": "xterm-256color"},
        ).stdout
        console.print(Text.from_ansi(shown.replace("\r", "").rstrip("\n")))
        console.print()
svg = console.export_svg(title="portplan")
# no fonts from elsewhere
svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)
with open(os.path.join(root, "docs/cast.svg"), "w", encoding="utf-8") as file:
    file.write(svg)

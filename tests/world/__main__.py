"""The command line: `python3 -m world COMMAND`, with tests/ and tests/cluster/ on PYTHONPATH."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from cluster.progress import ClusterError

from . import archives, demo, install
from .command import REPOSITORY, CommandFailed, enter_network, environment, in_network


#: Exit code of pytest.
NO_TEST_SELECTED = 5


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="world", description="The demo and the end-to-end tests.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("install", help="cluster, images, simulator and chart")
    commands.add_parser("demo", help="apply the examples and upload a photograph")
    commands.add_parser("upload", help="upload a file of your own").add_argument("file", type=Path)
    commands.add_parser("images", help="write the images as OCI archives into a folder").add_argument("folder", type=Path)
    commands.add_parser("test", help="run pytest in the box's network; further arguments are pytest's")
    return top


def search_path() -> str:
    """PYTHONPATH that holds from any folder."""
    return os.pathsep.join(str(Path(folder).resolve()) for folder in os.environ["PYTHONPATH"].split(os.pathsep))


def main() -> int:
    arguments, rest = parser().parse_known_args()
    if rest and arguments.command != "test":
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        if arguments.command == "images":
            archives.save(arguments.folder)
            return 0
        if not in_network():
            if arguments.command == "install":
                install.prepare()
            elif arguments.command == "demo":
                demo.fetch_photo()
        enter_network()
        if arguments.command == "install":
            install.install()
        elif arguments.command == "demo":
            demo.demo()
        elif arguments.command == "upload":
            demo.upload(arguments.file)
        elif arguments.command == "test":
            code = subprocess.run(
                [sys.executable, "-B", "-m", "pytest", *rest],
                cwd=REPOSITORY / "tests" / "e2e",
                env={**environment(), "PYTHONPATH": search_path()},
            ).returncode
            # A selection by -k may leave nothing of one of the two groups.
            return 0 if code == NO_TEST_SELECTED and "-k" in rest else code
    except (ClusterError, CommandFailed, AssertionError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

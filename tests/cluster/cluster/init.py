"""Process 1 of the box. Run as a script inside the new namespaces; imports nothing of this package.

It carries out the commands that make the box (`box.plan`), says `ready`, and from then on does what process 1 must:
reap. Its standard input is held open by `up`. When `up` has come to its end it writes a line; when it dies before,
however hard, the pipe closes without one, process 1 ends, and the kernel takes everything in the box with it.
"""

import json
import os
import select
import signal
import subprocess
import sys


def reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return


def main() -> None:
    with open(sys.argv[1]) as plan:
        steps = json.load(plan)
    for step in steps:
        subprocess.run(step["argv"], input=step.get("input", ""), text=True, stdout=subprocess.DEVNULL, check=True)

    wake_reader, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)

    os.write(1, b"ready\n")
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)

    starter = 0
    watched = [wake_reader, starter]
    while True:
        readable, _, _ = select.select(watched, [], [])
        if starter in readable:
            if not os.read(starter, 16):
                sys.exit("the starter went away before it was done")
            watched = [wake_reader]
            os.dup2(null, starter)
        if wake_reader in readable:
            os.read(wake_reader, 4096)
        reap()


main()

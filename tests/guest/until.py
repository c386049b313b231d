# SPDX-License-Identifier: MIT
"""Run a VM until a file that it writes holds a word, then end it."""

import os
import subprocess
import time

TIMEOUT = 150


def run_until(word, log, arguments):
    """What `log` holds by then, or after TIMEOUT seconds, and the VM's exit status."""
    vm = subprocess.Popen(arguments, stdin=subprocess.DEVNULL)
    text, deadline = '', time.monotonic() + TIMEOUT
    while word not in text and time.monotonic() < deadline and vm.poll() is None:
        time.sleep(0.1)
        if os.path.exists(log):
            with open(log, encoding='latin-1') as f:
                text = f.read()
    vm.terminate()
    return text, vm.wait(30)

"""What a plan has called at its start, gates, abort and end: a command, or an address that is posted to.

A hook that fails is told, and changes nothing: the game day does not depend on it.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

from gherkube.runners.gameday.plan import Hook

WITHIN = 30.0
"""Real seconds that a hook may take."""


def call(hook: Hook, told: dict[str, Any]) -> dict[str, Any]:
    """Calls it; `told` goes to the command's standard input, or is posted, as JSON. Returns what came."""
    return _command(hook, told) if hook.command else _post(hook, told)


def _command(hook: Hook, told: dict[str, Any]) -> dict[str, Any]:
    came: dict[str, Any] = {"command": list(hook.command)}
    try:
        done = subprocess.run(
            hook.command,
            input=json.dumps(told).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "GHERKUBE_EVENT": hook.on},
            timeout=WITHIN,
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {**came, "exit": f"not over after {WITHIN:g} s"}
    except OSError as error:
        return {**came, "exit": f"cannot be run: {error.strerror}"}
    return {**came, "exit": done.returncode}


def _post(hook: Hook, told: dict[str, Any]) -> dict[str, Any]:
    import urllib3

    try:
        answer = urllib3.request("POST", hook.url, json=told, timeout=WITHIN, retries=False)
    except urllib3.exceptions.HTTPError as error:
        return {"url": hook.url, "status": f"no answer: {error}"}
    return {"url": hook.url, "status": answer.status}

#!/usr/bin/env python3
"""Shuts a user out of a stage: no token or URL that the user has works any more, and the user's connections are closed.

    revoke.py --user alice                       on the local stage
    revoke.py --user alice --stack signedsocket  on a deployed stack
    revoke.py --user alice --until 2027-01-31    and no new login works before that day; --until 0 lifts such a ban

The user is the id that frames show as `sub`, or the sub claim of the user's tokens.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

AWS = Path(sys.executable).parent / "aws"


def seconds(text: str) -> int:
    """Reads a time: Unix seconds, or a date or time in ISO 8601, in UTC unless it says otherwise."""
    if text.isdigit():
        return int(text)
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


def aws(*arguments: str, environment: dict | None = None) -> str:
    """Runs the AWS CLI, which says itself what goes wrong."""
    done = subprocess.run([AWS, *arguments, "--output", "json"], env={**os.environ, "AWS_PAGER": "", **(environment or {})},
                          stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def local(outputs: str) -> tuple[str, list[str], dict]:
    """Finds the reaper of a local stage: its name, how to reach it, and as whom."""
    try:
        found = json.loads(Path(outputs).read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(f"{outputs} is missing: start the local stage with `make run`, or name a deployed stack with STACK=…")
    where = ["--endpoint-url", found["Local"]["LambdaUrl"], "--region", found["Region"], "--profile", "admin"]
    return found["ReaperName"], where, {"AWS_SHARED_CREDENTIALS_FILE": found["Local"]["CredentialsFile"], "AWS_CONFIG_FILE": os.devnull}


def deployed(stack: str) -> tuple[str, list[str], dict]:
    """Finds the reaper of a deployed stack, with the credentials and in the region that the AWS CLI uses anyway."""
    stacks = json.loads(aws("cloudformation", "describe-stacks", "--stack-name", stack))["Stacks"]
    found = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    return found["ReaperName"], [], {}


def main() -> None:
    parser = argparse.ArgumentParser(description="Shuts a user out of a stage.")
    parser.add_argument("--user", required=True)
    parser.add_argument("--until", type=seconds)
    parser.add_argument("--stack")
    parser.add_argument("--outputs", default=".localstage/outputs.json")
    arguments = parser.parse_args()

    request = {"user": arguments.user}
    if arguments.until is not None:
        request["bannedUntil"] = arguments.until
    name, where, environment = deployed(arguments.stack) if arguments.stack else local(arguments.outputs)
    with tempfile.TemporaryDirectory() as folder:
        payload, answer = Path(folder, "payload.json"), Path(folder, "answer.json")
        payload.write_text(json.dumps({"revoke": request}), encoding="utf-8")
        # A revocation waits up to half a minute for handshakes that are under way.
        result = aws("lambda", "invoke", "--function-name", name, "--payload", f"fileb://{payload}", "--cli-read-timeout", "70",
                     *where, str(answer), environment=environment)
        print(answer.read_text(encoding="utf-8"))
    if "FunctionError" in json.loads(result):
        sys.exit("not all of it has happened: repeat the command")


if __name__ == "__main__":
    main()

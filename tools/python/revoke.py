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
import sys
from datetime import datetime, timezone
from pathlib import Path

import boto3
from botocore.config import Config

import stack


def seconds(text: str) -> int:
    """Reads a time: Unix seconds, or a date or time in ISO 8601, in UTC unless it says otherwise."""
    if text.isdigit():
        return int(text)
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


# A revocation waits up to half a minute for handshakes that are under way. One that has begun is not begun again.
PATIENCE = Config(read_timeout=70, retries={"total_max_attempts": 1})


def local(outputs: str) -> tuple[str, object]:
    """Finds the reaper of a local stage: its name, and a client of Lambda that reaches it as an administrator."""
    try:
        found = json.loads(Path(outputs).read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(f"{outputs} is missing: start the local stage with `make run`, or name a deployed stack with STACK=…")
    os.environ.update({"AWS_SHARED_CREDENTIALS_FILE": found["Local"]["CredentialsFile"], "AWS_CONFIG_FILE": os.devnull})
    session = boto3.Session(profile_name="admin", region_name=found["Region"])
    return found["ReaperName"], session.client("lambda", endpoint_url=found["Local"]["LambdaUrl"], config=PATIENCE)


def deployed(name: str) -> tuple[str, object]:
    """Finds the reaper of a deployed stack, and a client of Lambda with the credentials that are there anyway."""
    return stack.outputs(stack.describe(name))["ReaperName"], boto3.client("lambda", config=PATIENCE)


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
    name, functions = deployed(arguments.stack) if arguments.stack else local(arguments.outputs)
    try:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"revoke": request}))
    except stack.AWSError as error:
        sys.exit(f"{name} was not invoked: {error}")
    print(answer["Payload"].read().decode())
    if "FunctionError" in answer:
        sys.exit("not all of it has happened: repeat the command")


if __name__ == "__main__":
    main()

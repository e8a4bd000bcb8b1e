#!/usr/bin/env python3
"""Revokes a user on a stage: all older tokens and URLs of the user are refused, the user's connections are closed, and
for an hour no new sign-in works. In a stack with a user pool of its own the user is signed out there, too.

    revoke.py --user alice                       on the local stage
    revoke.py --user alice --stack signedsocket  on a deployed stack
    revoke.py --user alice --until 2027-01-31    no sign-in works before that day
        revoke.py --user alice --until none          a new sign-in works at once; an earlier ban stays
    revoke.py --user alice --until 0             lifts a ban; the user has to sign in anew

The user is the id that frames show as `sub`, or the sub claim of the user's tokens. `guest-pool` stands for all guests.
"""

import argparse
import json
import os
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import boto3
from botocore.config import Config

import stack

# The default length of a ban gives the operator time to end the sessions at the sign-in provider. These would sign the
# user in again without a password.
BAN_SECONDS = 3600
IN_AN_HOUR = -1

# A revocation waits up to half a minute for running handshakes. The client does not repeat the call.
PATIENCE = Config(read_timeout=70, retries={"total_max_attempts": 1})

# Ids of users that are not the sub claim of a user of the pool: guests, and hashes of sub claims.
NOT_IN_POOL = ("guest-", "h--")


def until(text: str) -> int | None:
    """Reads the end of a ban: Unix seconds, or a date or time in ISO 8601, in UTC by default; none is no ban."""
    if text == "none":
        return None
    if text == "default":
        return IN_AN_HOUR
    if text.isdigit():
        return int(text)
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())


def local(outputs: str) -> tuple[dict, object, str]:
    """Finds a local stage: its outputs, a client of Lambda with the administrator's keys, and the administrator's name."""
    try:
        found = json.loads(Path(outputs).read_text(encoding="utf-8"))
    except FileNotFoundError:
        sys.exit(f"{outputs} is missing: start the local stage with `make run`, or name a deployed stack with STACK=…")
    os.environ.update({"AWS_SHARED_CREDENTIALS_FILE": found["Local"]["CredentialsFile"], "AWS_CONFIG_FILE": os.devnull})
    session = boto3.Session(profile_name="admin", region_name=found["Region"])
    return found, session.client("lambda", endpoint_url=found["Local"]["LambdaUrl"], config=PATIENCE), "admin of the local stage"


def deployed(name: str) -> tuple[dict, object, str]:
    """Finds a deployed stack: its outputs, a client of Lambda with the present credentials, and their ARN."""
    operator = boto3.client("sts").get_caller_identity()["Arn"]
    return stack.outputs(stack.describe(name)), boto3.client("lambda", config=PATIENCE), operator


def order(user: dict, by: str, banned_until: int | None, at_least: bool) -> dict:
    """Returns the event by which the reaper revokes a user, {"user": …} or {"sub": …}. With at_least the ban does not shorten an earlier one."""
    request = user | {"by": by}
    if banned_until is not None:
        request["bannedUntil"] = banned_until
    if at_least:
        request["atLeast"] = True
    return {"revoke": request}


def sign_out(cognito, pool: str, user: str) -> str:
    """Ends the sessions that a user has at the stack's own user pool, and returns what happened."""
    if user.startswith(NOT_IN_POOL):
        return f"{user} is no user of the pool {pool}: nothing to sign out there"
    try:
        cognito.admin_user_global_sign_out(UserPoolId=pool, Username=user)
    except cognito.exceptions.UserNotFoundException:
        return f"the pool {pool} has no user {user}: nothing to sign out there"
    return f"{user} is signed out of the pool {pool}"


def sign_out_of_pool(outputs: dict, user: str) -> None:
    """Signs a revoked user out of the user pool of a stack that has one."""
    pool = outputs.get("UserPoolId")
    if not pool:
        return
    try:
        print(sign_out(boto3.client("cognito-idp"), pool, user))
    except stack.AWSError as error:
        sys.exit(f"the user was revoked, but not signed out of the pool {pool}: {error}. "
                 "That needs cognito-idp:AdminUserGlobalSignOut.")


def revoke(functions, name: str, event: dict) -> None:
    """Invokes the reaper with an event and prints its answer."""
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    print(answer["Payload"].read().decode())
    if "FunctionError" in answer:
        sys.exit("the revocation is not complete: repeat the command")


def main(now: float | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--user", required=True)
    parser.add_argument("--until", type=until, default="default", help="end of the ban, or none for no ban; default: an hour from now")
    parser.add_argument("--stack")
    parser.add_argument("--outputs", default=".localstage/outputs.json")
    arguments = parser.parse_args()
    chosen = arguments.until != IN_AN_HOUR
    banned_until = arguments.until if chosen else int((now or time.time()) + BAN_SECONDS)
    try:
        outputs, functions, by = deployed(arguments.stack) if arguments.stack else local(arguments.outputs)
        revoke(functions, outputs["ReaperName"], order({"user": arguments.user}, by, banned_until, not chosen))
    except stack.AWSError as error:
        sys.exit(f"nothing was changed: {error}")
    if arguments.until != 0:
        sign_out_of_pool(outputs, arguments.user)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Erases a user on a stage: the user's messages and name leave the logs of all rooms, and what the user has read is
forgotten. Before that the user is revoked and banned for an hour, as by revoke.py.

    erase.py --user alice                       on the local stage
    erase.py --user alice --stack signedsocket  on a deployed stack
    erase.py --sub 'auth0|alice'                by the sub claim of the user's tokens

The user is the id that frames show as `sub`, or the sub claim of the user's tokens. The command counts first, says what
it will remove, and asks. The environment: YES=1 erases without a question. A command that has ended early is repeated
as it was; what it has removed stays removed.
"""

import argparse
import json
import os
import sys
import time

import revoke
import stack

# Messages of the user may be under way when the user is banned. A message takes the function at most 29 seconds.
WAIT_SECONDS = 30

# How often a call is tried that a fault has ended. It goes on where the call before it began.
TRIES = 3


def call(functions, name: str, request: dict) -> dict:
    """Invokes the function erase, and again after a fault; returns its answer."""
    for left in reversed(range(TRIES)):
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"erase": request}))
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" not in answer:
            return payload
        print(f"{name}: {payload.get('errorMessage', payload)}", file=sys.stderr)
        if not left:
            break
    sys.exit("the count is not complete, and nothing was changed" if request.get("count") else
             "the erasure is not complete: repeat the command, which removes the rest. The log of the function erase shows the reason.")


def work(functions, name: str, request: dict) -> dict:
    """Calls the function erase until it is done; returns its last answer, which has the sums."""
    answer = call(functions, name, request)
    while not answer["done"]:
        print(f"… so far {found(answer)}", flush=True)
        answer = call(functions, name, request | {"cursor": answer["cursor"]})
    return answer


def found(answer: dict) -> str:
    """Returns what an answer counts, for people."""
    return f"messages: {answer['messages']}, rooms: {answer['rooms']}, read markers: {answer['markers']}"


def ask(user: str) -> None:
    """Asks whether to erase, and exits without a yes."""
    if os.environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        sys.exit("nothing was changed. There is no terminal to ask: repeat it with YES=1")
    try:
        answer = input(f"Ban {user} for an hour and remove all that? It cannot be undone. [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        sys.exit("nothing was changed")


def erase(functions, outputs: dict, by: str, user: dict) -> None:
    """Counts what names a user, asks, revokes and bans the user, and erases."""
    name, shown = outputs["EraseName"], next(iter(user.values()))
    counted = work(functions, name, user | {"by": by, "count": True})
    if not any(counted[part] for part in ("rooms", "messages", "markers")):
        print(f"nothing names {counted['userId']}: there is nothing to remove, and nothing was changed")
        return
    print(f"{counted['userId']} is in the history. {found(counted)}\nTexts and names will be removed; the entries keep their places.")
    ask(shown)
    revoke.revoke(functions, outputs["ReaperName"], revoke.order(user, by, int(time.time() + revoke.BAN_SECONDS), True))
    print(f"waiting {WAIT_SECONDS} s for messages that are under way", flush=True)
    time.sleep(WAIT_SECONDS)
    print(f"removed. {found(work(functions, name, user | {'by': by}))}")
    revoke.sign_out_of_pool(outputs, shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--user", help="id of the user, or the sub claim of the user's tokens")
    which.add_argument("--sub", help="the sub claim, in any form")
    parser.add_argument("--stack")
    parser.add_argument("--outputs", default=".localstage/outputs.json")
    arguments = parser.parse_args()
    user = {"sub": arguments.sub} if arguments.sub is not None else {"user": arguments.user}
    try:
        outputs, functions, by = revoke.deployed(arguments.stack) if arguments.stack else revoke.local(arguments.outputs)
        if "EraseName" not in outputs:
            sys.exit("nothing was changed: the stage is of a version that cannot erase; deploy or start this one first")
        erase(functions, outputs, by, user)
    except stack.AWSError as error:
        sys.exit(f"{error}\nRepeat the command when that is solved: it removes what is left.")


if __name__ == "__main__":
    main()

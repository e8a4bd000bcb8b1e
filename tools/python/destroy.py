#!/usr/bin/env python3
"""Deletes a deployed stack after the operator has typed its name. Its data is deleted, too: connections, bans, logs, and
the users of its own user pool.

Nothing else is deleted. SAM's bucket for artifacts stays, because all SAM applications of the account share it.
"""

import sys

import boto3

import stack


def main() -> None:
    arguments = stack.parser(__doc__).parse_args()
    name = stack.named(arguments)
    described = stack.describe(name)
    # A stack whose first deployment failed takes no deployment that could set the protection to off.
    protected = stack.parameters(described).get("DeletionProtection") == "on"
    if protected and described["StackStatus"] not in stack.NEVER_COMPLETE:
        sys.exit(f"{name} is protected: deploy it with DeletionProtection=off first, then repeat this")
    _, _, _, region, account, _ = described["StackId"].split(":", 5)
    print(f"Account  {account}\nRegion   {region}")
    print(f"Stack {name} and everything in it will be deleted: APIs, functions, logs, the tables of connections and")
    print("bans, and the user pool with its users if there is one.")
    try:
        typed = input("Type the stack's name to go on: ")
    except EOFError:
        typed = ""
    if typed != name:
        sys.exit("nothing was deleted")
    try:
        cloudformation = boto3.client("cloudformation")
        cloudformation.delete_stack(StackName=name)
        print("deleting, which takes a few minutes")
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=name)
    except stack.AWSError as error:
        sys.exit(f"{error}\nthe stack is not deleted completely. Its events show the reason: "
                 + stack.aws(f"cloudformation describe-stack-events --stack-name {name}"))
    print(f"{name} is gone")


if __name__ == "__main__":
    main()

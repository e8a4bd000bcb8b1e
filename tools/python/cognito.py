#!/usr/bin/env python3
"""Access tokens for tests of a stack with a user pool of its own (IdentityProvider=cognito), without a browser.

    cognito.py --stack signedsocket-dev token      prints a token of the user in $SIGNEDSOCKET_USER, made when missing
        cognito.py --stack signedsocket-dev command    prints the shell command for that, or nothing if it cannot work
    cognito.py --stack signedsocket-dev clean      removes the users that it has made

It needs the rights of an administrator of the pool, and a development stack: only with ExtraSignerArns may
administrators sign users in. Each password is random and used once.
"""

import os
import secrets
import shlex
import sys
from pathlib import Path

import boto3

import stack

# Prefix of the tests' users.
PREFIX = "e2e-"


def token(cognito, pool: str, client: str, name: str) -> str:
    """Returns an access token of a test user, with a password that holds for this call only."""
    user, password = PREFIX + name, f"Aa1-{secrets.token_urlsafe(24)}"
    try:
        cognito.admin_create_user(UserPoolId=pool, Username=user, MessageAction="SUPPRESS", UserAttributes=[
            {"Name": "email", "Value": f"{user}@example.com"}, {"Name": "email_verified", "Value": "true"}])
    except cognito.exceptions.UsernameExistsException:
        pass  # the user exists
    cognito.admin_set_user_password(UserPoolId=pool, Username=user, Password=password, Permanent=True)
    answer = cognito.admin_initiate_auth(UserPoolId=pool, ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                                         AuthParameters={"USERNAME": user, "PASSWORD": password})
    return answer["AuthenticationResult"]["AccessToken"]


def command(name: str, described: dict) -> str:
    """Returns the shell command that prints a token for a stack, empty when its users sign in with a browser only."""
    if not stack.outputs(described).get("UserPoolId") or not stack.parameters(described).get("ExtraSignerArns"):
        return ""
    return shlex.join([sys.executable, str(Path(__file__).resolve()), "--stack", name, "token"])


def clean(cognito, pool: str) -> int:
    """Removes the test users and returns how many there were."""
    pages = cognito.get_paginator("list_users").paginate(UserPoolId=pool, Filter=f'username ^= "{PREFIX}"')
    users = [user["Username"] for page in pages for user in page["Users"]]
    for user in users:
        cognito.admin_delete_user(UserPoolId=pool, Username=user)
    return len(users)


def main() -> None:
    parser = stack.parser(__doc__)
    parser.add_argument("action", choices=["token", "command", "clean"])
    arguments = parser.parse_args()
    described = stack.describe(stack.named(arguments))
    if arguments.action == "command":
        print(command(stack.named(arguments), described))
        return
    outputs = stack.outputs(described)
    pool = outputs.get("UserPoolId")
    if arguments.action == "clean" and not pool:
        return  # the users are those of another provider
    if not pool:
        sys.exit("this stack has no user pool of its own: set SIGNEDSOCKET_TOKEN_COMMAND to a command that prints an access token")
    cognito = boto3.client("cognito-idp")
    try:
        if arguments.action == "clean":
            print(f"{clean(cognito, pool)} test users removed")
            return
        name = os.environ.get("SIGNEDSOCKET_USER")
        if not name:
            sys.exit("SIGNEDSOCKET_USER is not set: it names the user of the token")
        print(token(cognito, pool, outputs["OidcClientId"], name))
    except stack.AWSError as error:
        sys.exit(f"no token from the user pool: {error}. Is the stack deployed with ExtraSignerArns, and may you administrate the pool?")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Shows the logs of a deployed stack's functions, as they come.

    logs.py --stage dev
    logs.py --stack signedsocket --since 30min --once
"""

import os
import subprocess
import sys

import stack


def main() -> None:
    parser = stack.parser(__doc__)
    parser.add_argument("--since", default="10min", help="how far to look back, as sam logs understands it")
    parser.add_argument("--once", action="store_true", help="do not wait for more")
    arguments = parser.parse_args()
    name = stack.named(arguments)
    stack.describe(name)
    command = [stack.BIN / "sam", "logs", "--start-time", f"{arguments.since} ago"]
    for group in stack.resources(name, "AWS::Logs::LogGroup"):
        command += ["--cw-log-group", group]
    if not arguments.once:
        command.append("--tail")
    try:
        sys.exit(subprocess.run(command, env={**os.environ, "SAM_CLI_TELEMETRY": "0"}).returncode)
    except KeyboardInterrupt:
        pass  # the operator ends the command this way


if __name__ == "__main__":
    main()

#!/bin/sh
# The Lambda Web Adapter starts this program. The server finds its files from its own folder.
cd "$(dirname "$0")/web" || exit 1
# The adapter asks 127.0.0.1, so localhost must not become ::1.
exec node --require ../methods.cjs --dns-result-order=ipv4first server.js

#!/bin/sh
# What the Lambda Web Adapter starts. The server finds its files from its own folder.
cd "$(dirname "$0")/web" || exit 1
exec node server.js

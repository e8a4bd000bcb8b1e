#!/usr/bin/env bash
# setup-ci.sh installs the system packages that the tests need and that are missing (Debian, as root).
set -euo pipefail

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v git >/dev/null || missing+=(git)
command -v shellcheck >/dev/null || missing+=(shellcheck)
command -v chromium >/dev/null || missing+=(chromium fonts-noto-cjk)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
if ((${#missing[@]} == 0)); then exit; fi
apt-get update
apt-get install -y --no-install-recommends "${missing[@]}"

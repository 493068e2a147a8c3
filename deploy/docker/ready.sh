#!/usr/bin/env bash
# caracal-ready [HOST:PORT]: exit 0 when the engine says it is ready, else 1. The image has no curl.
set -euo pipefail

address=${1:-127.0.0.1:9464}
exec 3<>"/dev/tcp/${address%:*}/${address##*:}"
printf 'GET /readyz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$address" >&3
read -r -t 2 _ status _ <&3
[[ $status == 200 ]]

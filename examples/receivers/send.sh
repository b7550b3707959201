#!/usr/bin/env bash
# Sends a signed callback to a receiver, to try it: POSTERN_SECRET=whsec_… URL=http://127.0.0.1:3000/ bash send.sh
set -euo pipefail
: "${POSTERN_SECRET:?}" "${URL:?}"
id="msg_$RANDOM$RANDOM"
sent_at=$(date +%s)
body='{"type":"order.paid","timestamp":"2026-11-21T14:07:31.204Z","data":{"order":7}}'
key=$(printf %s "${POSTERN_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
signature=$(printf %s "$id.$sent_at.$body" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary |
  openssl base64 -A)
curl --silent --show-error --output /dev/null --write-out '%{http_code}\n' --request POST "$URL" \
  --header 'content-type: application/json' --header "webhook-id: $id" --header "webhook-timestamp: $sent_at" \
  --header "webhook-signature: v1,$signature" --data-binary "$body"

#!/usr/bin/env bash
# Submits a ballot and prints the ranking, with curl. Where the client has a key, openssl 3 signs with it.
#
#   curl.sh URL CLIENT-ID KEY-OR-SECRET-FILE ROUND CODE FIRST SECOND …
set -euo pipefail
url=${1%/} client=$2 file=$3 round=$4 code=$5
shift 5
ballot=$url/handslag/v1/rounds/$round/ballots/$code

# What is secret stands in files that nobody else can read: command lines can be seen by everybody on the machine.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# Calls; a refusal is told as it came, and is the end.
call() { curl -sS --fail-with-body -o "$work/answer" "$@" || { cat "$work/answer" >&2; exit 1; }; }

# 1. A token. It lives for five minutes; keep it meanwhile.
call "$url/.well-known/oauth-authorization-server"
endpoint=$(sed -n 's/.*"token_endpoint":"\([^"]*\)".*/\1/p' "$work/answer")
if grep -q 'PRIVATE KEY' "$file"; then
    head=$(printf '{"alg":"EdDSA","typ":"client-authentication+jwt"}' | base64url)
    claims=$(printf '{"iss":"%s","sub":"%s","aud":"%s","exp":%s,"jti":"%s"}' \
        "$client" "$client" "$url" $(($(date +%s) + 60)) "$(openssl rand -hex 16)" | base64url)
    printf '%s.%s' "$head" "$claims" >"$work/message"
    openssl pkeyutl -sign -rawin -inkey "$file" -in "$work/message" -out "$work/signature"
    printf '%s.%s' "$(cat "$work/message")" "$(base64url <"$work/signature")" >"$work/assertion"
    shown=(-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer
        --data-urlencode "client_assertion@$work/assertion")
else
    tr -d '\r\n' <"$file" >"$work/secret"
    shown=(--data-urlencode "client_secret@$work/secret")
fi
call "$endpoint" -d grant_type=client_credentials -d "client_id=$client" "${shown[@]}"
sed -n 's/.*"access_token":"\([^"]*\)".*/Authorization: Bearer \1/p' "$work/answer" >"$work/bearer"

# 2. What is stored now, so that nobody's change is written over unseen.
status=$(curl -sS -o "$work/stored" -D "$work/head" -w '%{http_code}' -H @"$work/bearer" "$ballot")
case $status in
    200) condition="If-Match: $(sed -n 's/^etag: *//Ip' "$work/head" | tr -d '\r')" ;;
    404) condition='If-None-Match: *' ;;
    *) cat "$work/stored" >&2; exit 1 ;;
esac

# 3. The ballot. Keep the answer: it holds the receipt.
ranking=$(printf ',"%s"' "$@")
curl -sS --fail-with-body -X PUT -H @"$work/bearer" -H 'Content-Type: application/json' -H "$condition" \
    -d "{\"ranking\":[${ranking:1}]}" "$ballot"
echo

# 4. The ranking, as a table.
curl -sS --fail-with-body -H @"$work/bearer" "$url/handslag/v1/rounds/$round/results?format=csv"

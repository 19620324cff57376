#!/bin/sh
# Starts Holdfast in a container of Complement. Runs again whenever the container does, over the same data.
set -eu
: "${SERVER_NAME:?}"
tls=/tls
mkdir -p $tls
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$SERVER_NAME" \
  -keyout $tls/key.pem -out $tls/request.pem 2>/dev/null
printf 'subjectAltName=DNS:%s\nbasicConstraints=critical,CA:FALSE\n' "$SERVER_NAME" >$tls/extensions
openssl x509 -req -in $tls/request.pem -CA /complement/ca/ca.crt -CAkey /complement/ca/ca.key \
  -set_serial "0x$(openssl rand -hex 8)" -days 1 -extfile $tls/extensions -out $tls/certificate.pem 2>/dev/null

for file in /complement/appservice/*.yaml; do
  [ -e "$file" ] && appservices="${appservices:+$appservices,}$file"
done
[ -z "${appservices:-}" ] || export HOLDFAST_APPSERVICES="$appservices"

export HOLDFAST_SERVER_NAME="$SERVER_NAME" HOLDFAST_DATA=/data
export HOLDFAST_LISTEN=0.0.0.0:8008 HOLDFAST_TLS_LISTEN=0.0.0.0:8448
export HOLDFAST_TLS_CERT=$tls/certificate.pem HOLDFAST_TLS_KEY=$tls/key.pem HOLDFAST_TRUSTED_CA=/complement/ca/ca.crt
# The other servers of a test are on the private network of the containers.
export HOLDFAST_OUTGOING_ALLOW=0.0.0.0/0,::/0
export HOLDFAST_REGISTRATION=open HOLDFAST_REGISTRATION_SHARED_SECRET=complement HOLDFAST_RATE_LIMITS=off
# A test looks for the name of a device at another server.
export HOLDFAST_DEVICE_NAMES_TO_SERVERS=true
# Complement's own server cannot sign every event of a room whose ID names no server; what is about version 12 asks for it.
export HOLDFAST_DEFAULT_ROOM_VERSION="${HOLDFAST_DEFAULT_ROOM_VERSION:-11}"
exec /holdfast/node_modules/node/bin/node --max-semi-space-size=4 /holdfast/packages/holdfast/main.ts start

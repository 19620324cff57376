#!/bin/sh
# Starts Holdfast once while the image is built, so that its compile cache is in the image.
set -eu
export HOLDFAST_DATA=/warm HOLDFAST_LISTEN=127.0.0.1:8008
/holdfast/node_modules/node/bin/node /holdfast/packages/holdfast/main.ts start >/warm.log 2>&1 &
sleep 10
kill $!
wait $! || { cat /warm.log; exit 1; }
rm -rf /warm /warm.log

#!/bin/sh
# Finds Chromium for the browser tests, or installs Debian's where that is allowed; says what it did.
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then echo "browser: $(command -v "$name")"; exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "browser: installing Debian's chromium"
  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "browser: no Chromium here and no right to install it; the browser tests will be skipped"
[ "${ASSENT_REQUIRE_BROWSER:-}" = 1 ] && exit 1
exit 0

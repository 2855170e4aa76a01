#!/bin/sh
# Runs the tests that need root and Debian's packages; installs the packages first. Exits 3 where it cannot.
set -eu
python=$1
cannot() { echo "make test-system: $1"; echo "Nothing was tested. As root on Debian 12 or later it runs by itself."; exit 3; }
[ "$(id -u)" = 0 ] || cannot "needs root (network namespaces, systemd-nspawn, apt-get); you are $(id -un)."
command -v apt-get >/dev/null || cannot "needs Debian's apt-get for its packages."
packages="systemd-container mmdebstrap iproute2 openssh-client chromium"
missing=""
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  echo "Installing Debian's packages:$missing"
  apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
fi
"$python" -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/system/requirements.lock
exec "$python" -m pytest -m system -n 2 --dist loadfile tests/system

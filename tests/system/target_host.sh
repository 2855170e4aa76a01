#!/bin/bash
# Real servers for the system tests: Debian with systemd, OpenSSH and nginx, each booted by systemd-nspawn in a
# network namespace of its own over one shared base (an overlay holds what differs). Root only.
#
#   target_host.sh build                 make the base once (80-160 s)
#   target_host.sh start NAME N KEY.pub  boot a host at 198.51.100.N; root lets KEY in; returns when SSH answers
#   target_host.sh stop NAME             power off; its disk stays, so `start` boots it again as it was
#   target_host.sh destroy NAME          power off and forget it
#   target_host.sh down                  destroy all hosts and the bridge
#
# ALUR_TARGETS names the folder for base and disks. 198.51.100.0/24 (TEST-NET-2) is refused when it is in use.
set -euo pipefail

folder=${ALUR_TARGETS:?"set ALUR_TARGETS to a folder for the base and the disks"}
net=198.51.100
bridge=alursys0
base=$folder/base
packages=systemd,systemd-sysv,dbus,openssh-server,sudo,nginx-light,python3,iproute2,procps

fail() { echo "target_host.sh: $1" >&2; exit 1; }

checked_name() { [[ $1 =~ ^[a-z][a-z0-9]{0,7}$ ]] || fail "a name has 1-8 letters and digits"; }

build() {
  if [[ -e $base.ready ]]; then return; fi
  rm -rf "$base"
  mkdir -p "$folder"
  local sources=/etc/apt/sources.list.d/debian.sources
  [[ -e $sources ]] || sources=/etc/apt/sources.list
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$(. /etc/os-release; echo "$VERSION_CODENAME")" "$base" "$sources"
  rm -f "$base"/etc/ssh/ssh_host_*
  : > "$base/etc/machine-id"
  touch "$base.ready"
}

network() {
  if ip link show "$bridge" >/dev/null 2>&1; then return; fi
  if ip -o -4 address | grep -qF " $net." || ip -o -4 route | grep -qF "$net."; then
    fail "$net.0/24 is in use on this machine"
  fi
  ip link add "$bridge" type bridge
  ip address add "$net.1/24" dev "$bridge"
  # A second address of ours: somebody who is neither the server nor Alur.
  ip address add "$net.2/24" dev "$bridge"
  ip link set "$bridge" up
}

start() {
  local name=$1 address=$net.$2 key=$3 disk=$folder/hosts/$1 space=alur-$1
  checked_name "$name"
  [[ -e $base.ready ]] || fail "build the base first"
  network
  mkdir -p "$disk"/{upper,work,root}
  if [[ ! -e $disk/upper/etc/ssh/ssh_host_ed25519_key ]]; then
    mkdir -p "$disk/upper/etc/ssh"
    ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$disk/upper/etc/ssh/ssh_host_ed25519_key"
    echo "$name" > "$disk/upper/etc/hostname"
    printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" > "$disk/upper/etc/hosts"
    local home=$disk/upper/root
    install -d -m 700 "$home" "$home/.ssh"
    install -m 600 "$key" "$home/.ssh/authorized_keys"
  fi
  if ! mountpoint -q "$disk/root"; then
    mount -t overlay "$space" -o "lowerdir=$base,upperdir=$disk/upper,workdir=$disk/work" "$disk/root"
  fi
  if [[ ! -e /run/netns/$space ]]; then
    ip netns add "$space"
    ip link add "as-$name" type veth peer name eth0 netns "$space"
    ip link set "as-$name" master "$bridge" up
    ip -n "$space" address add "$address/24" dev eth0
    ip -n "$space" link set eth0 up
    ip -n "$space" link set lo up
  fi
  setsid systemd-nspawn --quiet --directory="$disk/root" --machine="$space" --register=no --keep-unit --boot \
    --network-namespace-path="/run/netns/$space" --console=pipe </dev/null >"$disk/console.log" 2>&1 &
  local pid=$!
  echo "$pid" > "$disk/pid"
  for _ in $(seq 300); do
    if { exec 3<>"/dev/tcp/$address/22"; } 2>/dev/null && read -r -t 2 greeting <&3 && [[ $greeting == SSH-2.0-* ]]; then
      exec 3>&-
      return
    fi
    kill -0 "$pid" 2>/dev/null || { tail -n 40 "$disk/console.log" >&2; fail "$name did not boot"; }
    sleep 0.1
  done
  tail -n 40 "$disk/console.log" >&2
  fail "$name does not answer at $address"
}

stop() {
  checked_name "$1"
  local disk=$folder/hosts/$1 pid
  [[ -e $disk/pid ]] || return 0
  pid=$(cat "$disk/pid")
  # SIGTERM asks the host's systemd to power off.
  if kill -TERM "$pid" 2>/dev/null; then
    for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$disk/pid"
}

destroy() {
  stop "$1"
  umount "$folder/hosts/$1/root" 2>/dev/null || true
  ip link delete "as-$1" 2>/dev/null || true
  ip netns delete "alur-$1" 2>/dev/null || true
  rm -rf "${folder:?}/hosts/${1:?}"
}

down() {
  local disk
  for disk in "$folder"/hosts/*/; do
    [[ -d $disk ]] && destroy "$(basename "$disk")"
  done
  ip link delete "$bridge" 2>/dev/null || true
}

case ${1:-} in
  build) build ;;
  start) [[ $# == 4 ]] || fail "start NAME N KEY.pub"; start "$2" "$3" "$4" ;;
  stop) stop "${2:?}" ;;
  destroy) destroy "${2:?}" ;;
  down) down ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

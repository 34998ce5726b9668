#!/usr/bin/env bash
# Starts an engine for others.rs, in a network namespace of its own: unix:///run/pp/NAME.sock
#   other_engine.sh rootless-docker|podman|rootless-podman NAME    prints its socket
#   other_engine.sh stop NAME
# Needs root, ../shared, and of Debian: docker.io rootlesskit slirp4netns uidmap podman netavark runc
set -euo pipefail
kind=$1 name=$2 run=/run/pp state=/var/lib/pp/$2 user=pp-rootless
socket=$run/$name.sock
if [ "$kind" = stop ]; then
  kill "$(cat "$run/$name.pid")" || true
  ip netns del "$name"
  rm -rf "$state" "$socket" "$run/$name.pid"
  exit
fi

mkdir -p "$run" "$state"
chmod 711 /var/lib/pp "$run"
if [ ! -e "/run/netns/$name" ]; then
  ip netns add "$name"
  ip -n "$name" link set lo up
  ip -n "$name" link add eth0 type veth peer name eth0p
  ip -n "$name" link set eth0p up
  ip -n "$name" addr add 198.51.100.2/24 dev eth0
  ip -n "$name" link set eth0 up
  ip -n "$name" route add default via 198.51.100.254
  nsenter --net="/run/netns/$name" sysctl -qw net.ipv4.ip_forward=1
fi
# limits and cgroups that a virtual machine without systemd can give
cat >"$state/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF

environment=(CONTAINERS_CONF="$state/containers.conf" PATH=/usr/sbin:/usr/bin:/sbin:/bin)
inside=(nsenter --net="/run/netns/$name")
if [ "$kind" != podman ]; then
  id $user >/dev/null 2>&1 || useradd -m $user
  runtime=/run/user/$(id -u $user) # Podman wants it below /run
  mkdir -p "$runtime"
  chown $user "$runtime" "$state"
  chmod 666 /dev/net/tun
  # each container has a key ring, of which a user may have only 200
  sysctl -qw kernel.keys.maxkeys=20000 kernel.keys.maxbytes=2000000
  environment+=(HOME="$state" XDG_RUNTIME_DIR="$runtime")
  inside+=(setpriv --reuid $user --regid $user --init-groups)
fi
real=$state/engine.sock
podman=(podman --storage-driver vfs system service --time 0 "unix://$real")
case $kind in
rootless-docker)
  program=(/usr/share/docker.io/contrib/dockerd-rootless.sh --storage-driver vfs
    --host "unix://$real" --data-root "$state/data") ;;
podman)
  program=(podman --root "$state/root" --runroot "$state/runroot"
    --network-config-dir "$state/networks" "${podman[@]:1}") ;;
rootless-podman) program=("${podman[@]}") ;;
*) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
setsid "${inside[@]}" env -i "${environment[@]}" "${program[@]}" >"$run/$name.log" 2>&1 </dev/null &
echo $! >"$run/$name.pid"
ln -sfn "$real" "$socket"

export DOCKER_HOST=unix://$socket
for _ in $(seq 60); do docker version >/dev/null 2>&1 && break; sleep 0.5; done
docker image inspect bb >/dev/null 2>&1 ||
  "$(dirname "$0")/../../../../shared/engine/mkimage.sh" >/dev/null
echo "$DOCKER_HOST"

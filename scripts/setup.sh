#!/usr/bin/env bash
# Brings a bare Debian machine with Node.js to where `npm run demo` works, with --tests also `npm test`.
# Quiet when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "understudy setup: $1" >&2; exit 8; }

command -v node >/dev/null || fail "Node.js is missing; install version 20.19 or newer from nodejs.org"
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node.js $(node --version) is too old; install version 20.19 or newer"

if command -v dpkg-query >/dev/null; then
  packages=(ffmpeg xvfb libgl1 libgl1-mesa-dri libglx-mesa0 libegl1 libxi6 libxext6)
  # Real peers for the tests: a browser, an RTSP and a TURN server, dlib's points.
  [ "${1:-}" != --tests ] || mapfile -t -O "${#packages[@]}" packages <scripts/test-packages.txt
  missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing; run: sudo apt-get install ${missing[*]}"
    echo "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || fail "apt-get could not install ${missing[*]}"
    # The tests start their own TURN server: Debian's would listen to everybody from now on.
    case " ${missing[*]} " in *" coturn "*) systemctl disable --now coturn >/dev/null 2>&1 || true ;; esac
  fi
fi

stamp=node_modules/.understudy-lock
if ! cmp -s package-lock.json "$stamp"; then
  # The GPU build of ONNX Runtime is a download of its own: ONNXRUNTIME_NODE_INSTALL=cuda12 asks for it.
  ONNXRUNTIME_NODE_INSTALL="${ONNXRUNTIME_NODE_INSTALL:-skip}" npm ci --no-audit --no-fund --loglevel=error
  cp package-lock.json "$stamp"
fi

node scripts/fetch-models.mjs --group evaluate

if [ ! -f dist/main.js ] || [ ! -f src/core/simd/kernels.wasm ] || [ ! -f dist/core/simd/kernels.wasm ] || [ -n "$(find src package.json tsconfig.json tsconfig.build.json -newer dist/main.js -print -quit)" ]; then
  npm run --silent build
  touch dist/main.js
fi

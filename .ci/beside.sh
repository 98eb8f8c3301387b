# Sessions of nox beside others, for `.ci/run`: `beside -s typing docs` starts, `finished` waits, shows and judges.
logs="$(mktemp -d)"
started=()

beside() {
  nox "$@" >"$logs/${#started[@]}" 2>&1 &
  started+=("$!")
}

finished() {
  local place failed=0
  for place in "${!started[@]}"; do
    wait "${started[$place]}" || failed=1
    cat "$logs/$place"
  done
  started=()
  return "$failed"
}

stopped() { # however the script ends: what still runs has nobody to wait for it
  local running
  for running in $(jobs -pr); do kill "$running" || true; done
  finished || true
  rm -rf "$logs"
}
trap stopped EXIT

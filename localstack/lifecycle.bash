# How a server of this folder lives: a virtual environment, a process, an address on this machine's loopback interface.
# Sourced by a script that sets `server`, `python_from` (the oldest minor version of Python 3), `health` (a path) and `launch`
# (a function that becomes the process).

set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${CARGO_TARGET_DIR:-$folder/../target}/servers/$server
venv=$home/venv
requirements=$folder/$server.txt
pid_file=$home/pid
log=$home/log

source "$folder/python.bash"

free_port() {
    "$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# True when the process that was started here is still the one with that id.
is_running() {
    [[ -f $pid_file ]] && ps -p "$(<"$pid_file")" -o command= 2>/dev/null | grep -qF "$venv/bin/python"
}

answers() {
    "$venv/bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)' "$1" 2>/dev/null
}

start() {
    if is_running; then
        say "runs already at $(<"$home/url"); stop it first"
        exit 1
    fi
    install
    local port=${1:-} url deadline=$((SECONDS + 120))
    port=${port:-$(free_port)}
    url=http://127.0.0.1:$port
    (launch "$port") >"$log" 2>&1 </dev/null &
    printf '%s\n' $! >"$pid_file"
    printf '%s\n' "$url" >"$home/url"
    until answers "$url$health"; do
        if ((SECONDS >= deadline)) || ! kill -0 "$(<"$pid_file")" 2>/dev/null; then
            say "did not start; the end of $log:"
            tail -n 20 "$log" >&2
            stop
            exit 1
        fi
        sleep 0.5
    done
    printf '%s\n' "$url"
}

stop() {
    if is_running; then
        local pid deadline=$((SECONDS + 20))
        pid=$(<"$pid_file")
        kill "$pid"
        while is_running && ((SECONDS < deadline)); do
            sleep 0.2
        done
        if is_running; then
            say "does not end by itself; killing it"
            kill -KILL "$pid"
        fi
    fi
    rm -f "$pid_file"
}

case ${1:-} in
    start) start "${2:-}" ;;
    stop) stop ;;
    *)
        printf 'usage: %s start [PORT] | stop\n' "$0" >&2
        exit 2
        ;;
esac

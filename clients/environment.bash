# What runs against `keywright serve` needs: a Python with the clients, the program, and a server with a state of its own that
# ends with the script. Sourced.

set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=$(mkdir -p "${CARGO_TARGET_DIR:-$folder/../target}/clients" && cd "${CARGO_TARGET_DIR:-$folder/../target}/clients" && pwd)
server=clients
python_from=10
venv=$home/venv
requirements=$folder/requirements.txt
python=$venv/bin/python
source "$folder/../localstack/python.bash"

# The program: the one that KEYWRIGHT names, or what cargo builds with KEYWRIGHT_PROFILE.
find_keywright() {
    local profile=${KEYWRIGHT_PROFILE:-dev} target
    if [[ -z ${KEYWRIGHT:-} ]]; then
        (cd "$folder/.." && cargo build --locked --quiet --profile "$profile" --bin keywright)
        target=$(cd "$folder/.." && cargo metadata --format-version 1 --no-deps --locked |
            "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
        KEYWRIGHT=$target/${profile/dev/debug}/keywright
    fi
    export KEYWRIGHT
}

# Starts a server on a free port, for which the environment of AWS's clients is set, and ends it with the script.
serve() {
    export KEYWRIGHT_STATE
    KEYWRIGHT_STATE=$(mktemp -d)
    touch "$KEYWRIGHT_STATE/log"
    "$KEYWRIGHT" serve --listen 127.0.0.1:0 2>"$KEYWRIGHT_STATE/log" </dev/null &
    serve_pid=$!
    trap end EXIT
    local deadline=$((SECONDS + 30))
    until grep -q ' on http://' "$KEYWRIGHT_STATE/log"; do
        if ((SECONDS >= deadline)) || ! kill -0 "$serve_pid" 2>/dev/null; then
            say "the server did not start:"
            cat "$KEYWRIGHT_STATE/log" >&2
            exit 1
        fi
        sleep 0.05
    done
    AWS_ENDPOINT_URL=$(sed -n 's/.* on \(http:.*\)/\1/p' "$KEYWRIGHT_STATE/log")
    AWS_CONFIG_FILE=$KEYWRIGHT_STATE/config
    AWS_SHARED_CREDENTIALS_FILE=$KEYWRIGHT_STATE/credentials
    touch "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE"
    AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1
    # The root user of the account, who needs no made key.
    AWS_ACCESS_KEY_ID=111122223333 AWS_SECRET_ACCESS_KEY=any
    AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
    export AWS_ENDPOINT_URL AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_REGION AWS_DEFAULT_REGION \
        AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED AWS_PAGER
    unset AWS_PROFILE AWS_SESSION_TOKEN
}

end() {
    kill "$serve_pid" 2>/dev/null || true
    wait "$serve_pid" 2>/dev/null || true
    rm -rf "$KEYWRIGHT_STATE"
}

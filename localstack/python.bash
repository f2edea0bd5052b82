# A virtual environment with what a file of requirements names. Sourced by a script that sets `server` (what it speaks as),
# `python_from` (the oldest minor version of Python 3), `venv` and `requirements`.

# No suitable Python: a caller may go on without.
readonly no_python=77

say() {
    printf '%s: %s\n' "$server" "$*" >&2
}

# The first Python that is new enough and can make virtual environments.
find_python() {
    local candidate
    for candidate in ${KEYWRIGHT_PYTHON:-} python3 python3.13 python3.14 python3.12 python3.11 python3.10 \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        if "$candidate" -c "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, $python_from))" 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "no Python from 3.$python_from on with venv and ensurepip here; KEYWRIGHT_PYTHON may name one"
    exit "$no_python"
}

# Installs what the requirements name, unless it is there already.
install() {
    if cmp -s "$requirements" "$venv/installed.txt"; then
        return
    fi
    local python
    python=$(find_python) || exit
    say "installing with $("$python" --version)"
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements" >&2
    cp "$requirements" "$venv/installed.txt"
}

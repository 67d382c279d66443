#!/bin/sh
# Installs Snikket, or shows it on this computer. `./install.sh --help` says how.
set -eu

# Where the release of this script lies and the key that it is signed with (Ed25519): filled in by packaging/release. In a checkout both are
# empty, and the programs are built.
release_url=''
release_key=''

here=$(cd "$(dirname "$0")" && pwd)

built=/usr/local # where programs go that were built here
prefix=$built
settings=/etc/snikket/snikket.conf
state=/var/lib/snikket
units=/etc/systemd/system
sysusers=/usr/local/lib/sysusers.d/snikket.conf
policy=/usr/sbin/policy-rc.d
our_policy= # whether that file is ours to remove
our_mark='# By snikket'\''s install.sh, while it installs packages.'
new_mark='# New on this machine: '
servers="prosody nginx coturn"
fresh= # those of them that were not there before

# What runs, and what the two programs are linked to (by the -dev packages, whose names do not change with each release).
runtime_packages="prosody prosody-modules lua5.4 lua-dbi-sqlite3 lua-unbound nginx libnginx-mod-stream coturn
    util-linux openssl ca-certificates curl sqlite3 age"
library_packages="libcurl4-openssl-dev libssl-dev libidn2-dev libqrencode-dev"
build_packages="git g++ pkg-config $library_packages"
test_packages="libyaml-dev systemd pebble bind9 iproute2 nftables iptables ufw chromium chromium-driver libnss3-tools prometheus python3-venv
    shellcheck zstd apache2 caddy haproxy sslh"

usage() {
    cat <<'HELP'
A private chat service for family and friends.

To look at it, on this computer only (no domain, no root but for packages):

    ./install.sh --try [OPTIONS OF `snikket try`]

To install it on a server, for the domain that will be part of everybody's address:

    sudo ./install.sh [DOMAIN EMAIL] [options]

    --agree-tos           agree to the certificate authority's terms without being asked
    --from PLACE          take the release from PLACE: a folder, or an address that begins with https://
                          (for the install.sh that lies beside a release; it knows who has to have signed it)
    --binaries DIR        install the programs from DIR instead of building them
    --set NAME=VALUE      put one more option into snikket.conf (repeat for more)

Other things it does:

    ./install.sh --deps-only [--tests]    install what is needed (and what the tests need), and stop
    sudo ./install.sh --uninstall         remove the programs; settings, messages and accounts stay
    sudo ./install.sh --uninstall --purge remove those too, and the backups in /var/lib
    ./install.sh --help                   this

It can be run again at any time: what is there already stays, programs are brought up to date. When everything is started it waits until everything
serves, for 180 seconds at most; SNIKKET_INSTALL_WAIT in the environment sets another number.
HELP
}

# --- talking ---

say() { printf '%s\n' "$*"; }
step() { printf '==> %s\n' "$*"; }

# fail CODE ERROR CAUSE TRY: the three parts that every error here has.
fail() {
    printf 'install: error: %s\n' "$2" >&2
    [ -z "${3:-}" ] || printf 'install: cause: %s\n' "$3" >&2
    [ -z "${4:-}" ] || printf 'install: try:   %s\n' "$4" >&2
    exit "$1"
}

# Piped into sh, standard input is this script: questions go to the terminal itself.
has_terminal() {
    (: </dev/tty) 2>/dev/null
}

# ask QUESTION: sets answer.
ask() {
    printf '%s' "$1" >/dev/tty
    read -r answer </dev/tty
}

# --- this machine ---

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        fail 1 "this needs root: $*" "you are not root, and sudo is not installed" "run it as root"
    fi
}

need_root() {
    [ "$(id -u)" -eq 0 ] || fail 64 "this needs root" "it changes what is installed on this machine" "the same with sudo before it"
}

# Sets debian to the release's number, or ends.
check_system() {
    # shellcheck source=/dev/null
    id=$(. /etc/os-release 2>/dev/null && echo "${ID:-}") || id=
    # shellcheck source=/dev/null
    debian=$(. /etc/os-release 2>/dev/null && echo "${VERSION_ID:-}") || debian=
    if [ "$id" != debian ]; then
        fail 1 "this system is not supported" "it is ${id:-unknown}, and the packages are named after Debian's" "use Debian 12 or 13"
    fi
    case $debian in
        "") debian=99 ;; # testing and unstable have no number
        [0-9] | 10 | 11) fail 1 "Debian $debian is too old" "it has no Prosody 13" "use Debian 12 or 13" ;;
    esac
}

check_systemd() {
    [ -d /run/systemd/system ] || fail 1 "systemd does not run on this machine" \
        "an installation is a service of systemd" "look at it with ./install.sh --try"
}

is_running() {
    [ -d /run/systemd/system ] && systemctl is-active --quiet "$1.service" 2>/dev/null
}

# Whether another web server is to stand in front, and so may hold the web's ports.
stands_behind() {
    { printf '%s' "$extra_settings"; cat "$settings" 2>/dev/null || :; } |
        grep -Eq "^ *(export +)?(SNIKKET_TRUSTED_PROXIES *=.|SNIKKET_TWEAK_WEB_PROXY_PROTOS *= *[\"']?http[\"']? *\$)"
}

# What another web server has to be told: only with that does the first certificate come.
tell_of_server_in_front() {
    front=nginx
    for server in apache2 caddy haproxy traefik sslh; do
        if is_running "$server"; then front=${server%2}; fi
    done
    say "    the web server in front has to pass on what is for this one. In another terminal, now or when this has ended:"
    say "        sudo snikket render --target proxy=$front"
    say "    says what to tell it; docs/proxy.md has the whole story"
}

# A server that somebody uses already holds the ports; it is theirs to stop.
check_conflicts() {
    # What an installation brought that was killed runs since the boot after that, and is nobody's.
    # shellcheck disable=SC2046  # a list of words
    disable_servers $(left_behind)
    for server in prosody nginx coturn ejabberd apache2 caddy haproxy lighttpd sslh traefik; do
        advice="if nothing else needs it: systemctl disable --now $server"
        case $server in
            nginx | apache2 | caddy | haproxy | lighttpd | sslh | traefik)
                if stands_behind; then continue; fi
                advice="$advice; it can also stand in front: docs/proxy.md" ;;
        esac
        if is_running "$server"; then
            fail 1 "$server is running on this machine" "it holds ports that the chat service needs" "$advice"
        fi
    done
}

# --- packages ---

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_of() {
    for package in "$@"; do
        is_installed "$package" || printf '%s ' "$package"
    done
}

prosody_is_old() {
    is_installed prosody || return 1
    dpkg --compare-versions "$(dpkg-query -W -f '${Version}' prosody)" lt 13
}

has_backports() {
    grep -rqs '^[^#]*bookworm-backports' /etc/apt/sources.list /etc/apt/sources.list.d
}

# Debian 12 has Prosody 0.12; 13 is in its backports, which are made from Debian 13 and signed with the same key.
add_backports() {
    if has_backports; then return; fi
    say "    Debian 12's own Prosody is too old: adding bookworm-backports to apt's sources"
    list=/etc/apt/sources.list.d/snikket-backports.list
    mirror=$(mirror_of_bookworm)
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" |
        as_root tee "$list" >/dev/null
}

# The mirror that this machine gets bookworm from.
mirror_of_bookworm() {
    # shellcheck disable=SC2016  # apt's variables, not the shell's
    found=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 == "bookworm" { print $1; exit }')
    echo "${found:-http://deb.debian.org/debian}"
}

# Whether the file is one that an installation of ours has left behind, which was killed.
is_our_policy() { grep -qsxF "$our_mark" "$policy"; }

# The servers that were new then.
left_behind() { if is_our_policy; then sed -n "s/^$new_mark//p" "$policy"; fi; }

# Packages start their servers when they are installed, unless this file says no. Somebody else's stays as it is. Ours remembers what is new, for the
# run after one that was killed.
forbid_starting() {
    # shellcheck disable=SC2086  # a list of words
    fresh="$(missing_of $servers)$(left_behind)"
    trap settle_packages EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if { [ -e "$policy" ] || [ -L "$policy" ]; } && ! is_our_policy; then return; fi
    our_policy=yes
    printf '#!/bin/sh\n%s\n%s%s\nexit 101\n' "$our_mark" "$new_mark" "$fresh" | as_root tee "$policy.new" >/dev/null
    as_root chmod 755 "$policy.new"
    as_root mv -f "$policy.new" "$policy"
}

# However the installation of packages ended: no server that it brought starts at the next boot, and the file is gone. A server
# that was there before is somebody's, and stays as it is.
settle_packages() {
    trap - EXIT HUP INT TERM
    # shellcheck disable=SC2086  # a list of words
    disable_servers $fresh
    if [ -n "$our_policy" ]; then as_root rm -f "$policy"; fi
    our_policy=
}

# disable_servers NAME...: they do not run, now and after a boot.
disable_servers() {
    [ -d /run/systemd/system ] || return 0
    for server in "$@"; do
        if is_installed "$server"; then as_root systemctl disable --quiet --now "$server.service" 2>/dev/null || :; fi
    done
}

# apt_get WORDS...: its output only if it fails. Settings that somebody has changed stay, and nothing is asked where nobody would see it.
# A machine that was ordered a minute ago is still busy with packages of its own: they are waited for, whichever of its locks apt-get lacks.
apt_get() {
    as_root true # whoever may not is told so in sight
    log=$(mktemp)
    waited=0
    until as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -q -y -o Dpkg::Use-Pty=0 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" >"$log" 2>&1 </dev/null; do
        code=$?
        holder=$(sed -n 's/^E[a-z]*: Could not get lock //p' "$log" | sed 's/.*It is held by //; q')
        if [ -z "$holder" ] || [ "$waited" -ge 300 ]; then
            cat "$log" >&2
            rm -f "$log"
            if [ -n "$holder" ]; then
                fail 75 "others are installing packages on this machine" "they have not ended within five minutes: $holder" "run this again when they have"
            fi
            fail 1 "apt-get $* failed with $code" "its output is above" "correct that, and run this again"
        fi
        if [ $((waited % 60)) -eq 0 ]; then say "    waiting for others who are installing packages: $holder"; fi
        sleep 2
        waited=$((waited + 2))
    done
    rm -f "$log"
}

# Upgrading a Prosody that somebody uses changes their chat service, with its modules and settings: it is not ours to do.
check_upgrade() {
    [ -d /run/systemd/system ] || return 0
    if is_running prosody || systemctl is-enabled --quiet prosody.service 2>/dev/null; then
        fail 1 "somebody's own Prosody is in use on this machine" \
            "it is $(dpkg-query -W -f '${Version}' prosody), and this needs Prosody 13, which would replace it" \
            "if nothing else needs it: systemctl disable --now prosody; or use another machine"
    fi
}

# install_packages NAME...: those that are missing, without starting anything.
install_packages() {
    wanted=$(missing_of "$@")
    case " $* " in
        *" prosody "*)
            if prosody_is_old; then
                check_upgrade
                wanted="prosody prosody-modules $wanted"
            fi ;;
    esac
    if [ -z "$wanted" ]; then
        step "everything needed is installed"
        if is_our_policy; then
            forbid_starting
            settle_packages
        fi
        return
    fi
    step "installing: $wanted"
    from_backports=
    others=
    for package in $wanted; do
        case $debian.$package in
            12.prosody | 12.prosody-modules) from_backports="$from_backports $package" ;;
            *) others="$others $package" ;;
        esac
    done
    if [ -n "$from_backports" ]; then add_backports; fi
    apt_get update
    forbid_starting
    # shellcheck disable=SC2086  # lists of words
    {
        if [ -n "$from_backports" ]; then
            apt_get install --no-install-recommends -t bookworm-backports $from_backports
        fi
        if [ -n "$others" ]; then apt_get install --no-install-recommends $others; fi
    }
    settle_packages
}

# --- building ---

# The account that builds: with sudo, the one that called it, so that the checkout stays theirs.
as_builder() {
    if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
        sudo -H -u "$SUDO_USER" env "PATH=$PATH" "$@"
    else
        "$@"
    fi
}

# Puts a Swift toolchain into PATH, or ends with how to get one.
find_swift() {
    builder_home=$(getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6)
    for folder in "$builder_home/.local/share/swiftly/bin" /opt/swift/usr/bin /usr/local/swift/usr/bin; do
        if [ -x "$folder/swift" ]; then PATH="$PATH:$folder"; fi
    done
    export PATH
    command -v swift >/dev/null 2>&1 || fail 1 "there is no Swift on this machine" \
        "the programs are built here, and that needs Swift 6.2 or newer" \
        "install it as https://www.swift.org/install/linux/ says, then run this again; or give built programs with --binaries DIR"
    version=$(as_builder swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    if [ -z "$version" ] || dpkg --compare-versions "$version" lt 6.2; then
        fail 1 "Swift ${version:-of an unknown version} is too old" "the programs need Swift 6.2 or newer" \
            "install a newer one as https://www.swift.org/install/linux/ says"
    fi
}

# Builds both programs, and sets binaries to where they are.
build() {
    find_swift
    step "building (the first time takes some minutes)"
    for product in snikket snikket-certs; do
        (cd "$here" && as_builder swift build -c release --static-swift-stdlib --product "$product") ||
            fail 1 "building $product failed" "its output is above" "report it, with that output"
    done
    binaries=$(cd "$here" && as_builder swift build -c release --static-swift-stdlib --show-bin-path)
}

# --- the system ---

# install_file MODE FROM TO: put in place in one step, so that a running program is never half of each.
install_file() {
    mkdir -p "$(dirname "$3")"
    cp "$2" "$3.new"
    chmod "$1" "$3.new"
    mv -f "$3.new" "$3"
}

install_programs() {
    step "installing the programs"
    for program in snikket snikket-certs; do
        [ -x "$binaries/$program" ] || fail 1 "$binaries has no $program" "both programs have to be in that folder" "build it: swift build -c release --static-swift-stdlib"
        install_file 755 "$binaries/$program" "$prefix/bin/$program"
    done
    share=$prefix/share/snikket
    mkdir -p "$share"
    rm -rf "$share/templates.new"
    cp -R "$here/templates" "$share/templates.new"
    chmod -R u=rwX,go=rX "$share/templates.new"
    rm -rf "$share/templates"
    mv "$share/templates.new" "$share/templates"
    install_completions
}

install_completions() {
    data=$prefix/share
    for pair in bash:bash-completion/completions/snikket zsh:zsh/site-functions/_snikket fish:fish/vendor_completions.d/snikket.fish; do
        to=$data/${pair#*:}
        mkdir -p "$(dirname "$to")"
        "$prefix/bin/snikket" --generate-completion-script "${pair%%:*}" >"$to"
    done
}

install_service() {
    step "making the users and the service"
    install_file 644 "$here/templates/systemd/snikket.sysusers" "$sysusers"
    systemd-sysusers "$sysusers"
    for file in snikket.service snikket-failed.service snikket-backup.service snikket-backup.timer; do
        install_file 644 "$here/templates/systemd/$file" "$units/$file"
    done
    systemctl daemon-reload
    systemctl enable --quiet snikket.service
    # It makes a backup only when the settings want one.
    systemctl enable --quiet --now snikket-backup.timer
}

# read_settings FILE: the program says what stands in it, however it is written.
read_settings() {
    (umask 077 && "$prefix/bin/snikket" config show --config "$1" >"$work/settings") || exit
}

# setting NAME: the value that holds, in what was read.
setting() { sed -n "s/^[* ] $1  *//p" "$work/settings"; }

# A second run with the same domain keeps the settings as they are; with another it is a mistake.
write_settings() {
    if [ -e "$settings" ]; then
        asked=
        if [ -n "$domain" ]; then
            printf 'SNIKKET_DOMAIN=%s\nSNIKKET_ADMIN_EMAIL=admin@example.org\n' "$domain" >"$work/asked"
            read_settings "$work/asked"
            asked=$(setting SNIKKET_DOMAIN)
        fi
        read_settings "$settings"
        domain=$(setting SNIKKET_DOMAIN)
        if [ -n "$asked" ] && [ "$asked" != "$domain" ]; then
            fail 78 "this machine already runs the chat service of $domain" \
                "$settings says so, and everybody's address ends in it" "one machine, one domain: use another machine for $asked"
        fi
        say "    keeping $settings as it is"
        if [ -n "$extra_settings" ]; then say "    --set counts the first time only: edit that file instead"; fi
        return
    fi
    folder=$(dirname "$settings")
    mkdir -p "$folder"
    # Made beside its place, checked there, and moved: what is in place is whole and right, and a mistake leaves nothing.
    new=$folder/.snikket.conf.new
    rm -f "$new"
    "$prefix/bin/snikket" init --config "$new" --domain "$domain" --email "$email" --agree-tos >/dev/null ||
        { rm -f "$new"; exit 78; }
    # `snikket init` only writes for those who agree; here nobody was asked when no authority is needed.
    if [ -z "$agreed" ]; then sed -i '/^SNIKKET_LETSENCRYPT_TOS_AGREE=/d' "$new"; fi
    chmod 600 "$new" # a secret may follow
    printf '%s' "$extra_settings" >>"$new"
    if ! "$prefix/bin/snikket" config show --config "$new" >/dev/null; then
        rm -f "$new"
        fail 78 "a setting given with --set is wrong" "which one is said above; nothing was written" "correct it, and run this again"
    fi
    sync "$new"
    mv -f "$new" "$settings"
    sync "$folder"
    read_settings "$settings"
}

# The two answers, when they were not given.
ask_for_answers() {
    if [ -n "$domain" ] && [ -n "$email" ]; then return; fi
    has_terminal || { usage >&2; exit 64; }
    while [ -z "$domain" ]; do
        ask "The domain, which will be the second half of everybody's address (chat.example.org): "
        domain=$answer
    done
    while [ -z "$email" ]; do
        ask "Your e-mail address, for the certificate authority and for what needs your hand: "
        email=$answer
    done
}

# What cannot be right is said before anything is installed; the program looks closer.
check_answers() {
    case $domain in
        *[[:space:]:/@_]* | .* | *..* | *.) domain_is_none ;;
        localhost | *.*[!0-9.]*) ;;
        *) domain_is_none ;;
    esac
    case $email in
        *[[:space:]]* | @* | *@) ;;
        *@*) return ;;
    esac
    fail 78 "\`$email\` is no e-mail address" "it has to have a name, an @ and a domain" "you@example.org, say"
}

domain_is_none() {
    fail 78 "\`$domain\` cannot be the domain" "it has to be a name, and no address of a page or of a machine" "chat.example.org, say: one that you have registered, or below it"
}

ask_for_consent() {
    if [ -n "$agreed" ]; then return; fi
    case $extra_settings in
        *SNIKKET_CERTIFICATE=files* | *SNIKKET_CERTIFICATE=internal*) return ;;
    esac
    terms="the terms of Let's Encrypt, which gives the certificates: https://letsencrypt.org/repository/"
    has_terminal || fail 64 "nobody is here to agree to $terms" "there is no terminal to ask on" "read them, then add --agree-tos"
    ask "Do you agree to $terms ? [y/N] "
    case $answer in
        [yY]*) agreed=yes ;;
        *) fail 1 "without a certificate apps cannot connect" "you did not agree to $terms" \
            "agree, or use your own: --set SNIKKET_CERTIFICATE=files (see README.md)" ;;
    esac
}

# Starts it, or restarts it when it ran already, and shows what it waits for.
start_service() {
    step "starting"
    systemctl reset-failed snikket.service 2>/dev/null || :
    # Stopped first, and waited for: `snikket status` must not hear the old one say that it is well.
    systemctl stop snikket.service
    if stands_behind && [ ! -e "$state/certificates/current" ]; then tell_of_server_in_front; fi
    systemctl start --no-block snikket.service
    seen=
    waited=0
    until "$prefix/bin/snikket" status >"$work/status" 2>"$work/status.err"; do
        if systemctl is-failed --quiet snikket.service; then
            journalctl -u snikket.service -n 20 --no-pager -o cat >&2 || :
            fail 1 "the service did not start" "its last words are above" "correct that, then: systemctl restart snikket"
        fi
        problem=$(sed -n '/^certificate: /,$p' "$work/status")
        if [ -n "$problem" ] && [ "$problem" != "$seen" ]; then
            seen=$problem
            printf '%s\n' "$problem" | sed 's/^/    /'
        fi
        waited=$((waited + 1))
        if [ "$waited" -ge "${SNIKKET_INSTALL_WAIT:-180}" ]; then
            cat "$work/status" "$work/status.err" >&2
            fail 75 "it is installed and running, but not ready yet" "the status is above" \
                "correct that; it tries again by itself, and \`snikket status\` says when it is ready. Then: snikket invite create --admin --qr"
        fi
        [ $((waited % 10)) -ne 0 ] || say "    still starting (${waited} s)"
        sleep 1
    done
    cat "$work/status"
}

# What may keep people out is said before anything waits for it. It is no reason to stop: most of it can be corrected while the service tries.
look_around() {
    step "looking whether everything around is ready"
    "$prefix/bin/snikket" check --no-reload ||
        say "    what is red has to be corrected; afterwards: snikket check"
}

show_invitation() {
    if "$prefix/bin/snikket" user list --json 2>/dev/null | grep -q 'prosody:admin'; then
        step "ready: https://$(setting SNIKKET_WEB_HOST)/"
        return
    fi
    step "ready. Open this link on your phone: it makes your own account, the administrator's"
    "$prefix/bin/snikket" invite create --admin --qr
}

# --- a release ---

# fetch NAME: gets a file of the release into the working folder.
fetch() {
    case $release_url in
        https://* | http://*)
            curl --fail --silent --show-error --location --retry 3 --connect-timeout 20 --max-time 600 \
                --output "$work/$1" "$release_url/$1" 2>"$work/curl.err" ||
                fail 75 "$release_url/$1 could not be fetched" "$(tail -n 1 "$work/curl.err")" "look at this machine's connection, and run this again"
            ;;
        *)
            cp "${release_url#file://}/$1" "$work/$1" 2>/dev/null ||
                fail 1 "$release_url/$1 is not there" "that is not the folder of a release, or not all of it" \
                    "name one with its files release and release.sig with --from"
            ;;
    esac
}

# Fetches the release, and believes nothing before its signature. Sets deb and version.
fetch_release() {
    step "fetching the release from $release_url"
    install_packages curl ca-certificates openssl
    fetch release
    fetch release.sig
    printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' "$release_key" >"$work/key.pem"
    openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$work/release" -sigfile "$work/release.sig" >/dev/null 2>&1 ||
        fail 1 "the release is not signed by its makers" "somebody has changed it, or it was cut off on its way" \
            "install nothing from there; fetch this script and the release again"
    architecture=$(dpkg --print-architecture)
    version=$(sed -n 's/^version //p' "$work/release")
    deb=$(sed -n "s/^package $architecture [0-9a-f]* //p" "$work/release")
    case $deb in
        "") fail 1 "there is no package for this machine" "it is $architecture, and the release has: $(sed -n 's/^package \([^ ]*\) .*/\1/p' "$work/release" | tr '\n' ' ')" "use a machine of one of those" ;;
        */*) fail 1 "the release names a file outside its folder: $deb" "its makers have signed a mistake" "report it to them; nothing was installed" ;;
    esac
    refuse_older
}

# Gets its package, as it was signed.
fetch_package() {
    fetch "$deb"
    sum=$(sed -n "s/^package $architecture \([0-9a-f]*\) .*/\1/p" "$work/release")
    [ "$(sha256sum "$work/$deb" | cut -d ' ' -f 1)" = "$sum" ] ||
        fail 1 "$deb is not the one of the release" "its checksum is another: it was changed, or cut off on its way" "run this again"
    say "    snikket $version, signed by its makers"
}

# An old release has a good signature too: who offers one wants back its mistakes.
refuse_older() {
    is_installed snikket || return 0
    there=$(dpkg-query -W -f '${Version}' snikket)
    if dpkg --compare-versions "$version" lt "$there"; then
        fail 1 "snikket $there is installed, and the release is $version" "an older one can have mistakes that are known" "fetch a newer release"
    fi
}

# Whether people use an older release here.
is_upgrade() {
    is_installed snikket && [ -e "$settings" ] && [ -e "$state/secrets" ] &&
        dpkg --compare-versions "$version" gt "$(dpkg-query -W -f '${Version}' snikket)"
}

# By its own means, which are more careful than dpkg: a backup, a rehearsal, a look whether everything serves, and a way back.
upgrade_release() {
    write_settings # which says so when they are another domain's
    step "an older release is here: \`snikket upgrade\` brings the new one, and \`snikket rollback\` takes it back"
    "$prefix/bin/snikket" upgrade --yes --from "${release_url#file://}" || exit
    if is_running snikket; then
        rm -rf "$work"
        exit
    fi
}

# The package with what it depends on. Debian's own servers come with it and are not started; somebody's stay as they are.
install_release() {
    if [ "$debian" = 12 ]; then
        install_packages prosody prosody-modules nginx libnginx-mod-stream coturn
    else
        apt_get update
    fi
    step "installing snikket $version"
    forbid_starting
    chmod 755 "$work"
    chmod 644 "$work/$deb"
    apt_get install --no-install-recommends "$work/$deb"
    settle_packages
    # The way back from the first upgrade.
    mkdir -p /var/lib/snikket-upgrade/packages
    install_file 600 "$work/$deb" "/var/lib/snikket-upgrade/packages/$deb"
}

# The service of a checkout goes on with the release: its state and its settings are where they were.
replace_built_programs() {
    if has_built_programs; then
        step "removing the programs that were built here before"
        # Both have a unit of this name: the running one is that of the checkout.
        systemctl stop snikket-backup.timer snikket-backup.service snikket.service 2>/dev/null || :
        remove_built_programs
        systemd-sysusers snikket.conf # the package's own: until now the other file came first
    fi
}

# --- what can be asked for ---

# From a release: nothing is built here.
install_from_release() {
    [ -n "$release_key" ] || fail 64 "this script does not know whose releases to trust" \
        "it comes from a checkout, which has no key" "use the install.sh that lies beside the release"
    need_root
    check_system
    check_systemd
    check_conflicts
    prefix=/usr
    work=$(mktemp -d)
    if [ ! -e "$settings" ]; then
        ask_for_answers
        check_answers
        ask_for_consent
    fi
    fetch_release
    if is_upgrade; then
        upgrade_release
    else
        fetch_package
        install_release
    fi
    replace_built_programs
    write_settings
    systemctl enable --quiet snikket.service
    # While packages were installed nothing could be started.
    systemctl enable --quiet --now snikket-backup.timer snikket-upgrade-check.timer
    look_at_the_world
    start_service
    show_invitation
    rm -rf "$work"
}

# What can be known to be wrong beforehand is said. It is started all the same: DNS may be on its way, and it tries again by itself.
look_at_the_world() {
    step "looking at DNS, ports, clock and disk"
    "$prefix/bin/snikket" check --no-reload || say "    it is started all the same, and tries again by itself: correct what is red"
}

try_it() {
    check_system
    # shellcheck disable=SC2086  # lists of words
    install_packages $runtime_packages $build_packages
    build
    step "starting it on this computer; Ctrl-C ends it, and nothing stays"
    if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
        as_builder "$binaries/snikket" try "$@"
    else
        exec "$binaries/snikket" try "$@"
    fi
}

install_it() {
    need_root
    if is_installed snikket; then
        fail 1 "a release of snikket is installed on this machine" "what is built here would come before it, and \`snikket upgrade\` would change nothing any more" \
            "take the newest release: snikket upgrade; or remove this one first: $0 --uninstall"
    fi
    check_system
    check_systemd
    check_conflicts
    if [ ! -e "$settings" ]; then
        ask_for_answers
        check_answers
        ask_for_consent
    fi
    work=$(mktemp -d)
    if [ -n "$binaries" ]; then
        binaries=$(cd "$binaries" 2>/dev/null && pwd) || fail 64 "--binaries does not name a folder" "$binaries is none, or nobody may enter it" "name the folder that has the programs snikket and snikket-certs"
        # shellcheck disable=SC2086,SC2046  # lists of words
        install_packages $runtime_packages $(libraries_of_programs)
    else
        # shellcheck disable=SC2086
        install_packages $runtime_packages $build_packages
        build
    fi
    install_programs
    write_settings
    install_service
    look_around
    start_service
    show_invitation
    rm -rf "$work"
}

# The shared libraries that built programs need; their packages' names changed with Debian 13.
libraries_of_programs() {
    if [ "$debian" = 12 ]; then
        echo libcurl4 libssl3 libidn2-0 libqrencode4
    else
        echo libcurl4t64 libssl3t64 libidn2-0 libqrencode4
    fi
}

deps_only() {
    check_system
    extra=
    if [ -n "$with_tests" ]; then extra=$test_packages; fi
    # shellcheck disable=SC2086
    install_packages $runtime_packages $build_packages $extra
}

# Whether programs that were built here are installed. They and their unit come before a package's (PATH, systemd.unit(5)).
has_built_programs() {
    [ -e "$built/bin/snikket" ] || grep -qsxF "ExecStart=$built/bin/snikket up" "$units/snikket.service"
}

remove_built_programs() {
    systemctl disable --quiet snikket-backup.timer snikket.service 2>/dev/null || :
    rm -f "$units/snikket.service" "$units/snikket-failed.service" "$units/snikket-backup.service" "$units/snikket-backup.timer" "$sysusers" \
        "$built/share/bash-completion/completions/snikket" "$built/share/zsh/site-functions/_snikket" \
        "$built/share/fish/vendor_completions.d/snikket.fish" "$built/bin/snikket-certs"
    rm -rf "$built/share/snikket"
    rm -f "$built/bin/snikket" # last: it says that there is something to remove
    systemctl daemon-reload
}

# Whether dpkg knows the package: also when only what it left behind is there.
is_known_to_dpkg() {
    case $(dpkg-query -W -f '${db:Status-Status}' snikket 2>/dev/null) in
        "" | not-installed) return 1 ;;
    esac
}

# remove_folder FOLDER: all that is in it, and then itself. Where it is a disk of its own that stays, and is empty; where it is a link, what it leads to
# goes, too.
remove_folder() {
    if [ -d "$1" ]; then
        # Only folders that are disks may be left.
        find "$1/" -mindepth 1 -delete || [ -z "$(find "$1/" ! -type d -print -quit)" ]
        rmdir "$(readlink -f "$1")" 2>/dev/null || :
    fi
    if [ -L "$1" ]; then rm "$1"; fi
}

uninstall() {
    need_root
    if has_built_programs; then
        step "stopping"
        systemctl stop snikket-backup.timer snikket-backup.service snikket.service 2>/dev/null || :
        step "removing the programs"
        remove_built_programs
    fi
    if is_installed snikket; then
        step "removing the package"
        apt_get remove snikket
    fi
    if [ -n "$purge" ]; then
        if is_known_to_dpkg; then apt_get purge snikket; fi
    fi
    if [ -n "$purge" ] && [ -e "$state/containers" ]; then
        say "    containers use $state: it stays, with $(dirname "$settings") and $state-upgrade"
        say "    once nobody needs them: rm -r $state $state-upgrade $(dirname "$settings")"
    elif [ -n "$purge" ]; then
        step "removing settings, accounts, messages, backups and users"
        for folder in "$state" "$state-upgrade" "$(dirname "$settings")"; do remove_folder "$folder"; done
        for user in snikket-prosody snikket-nginx snikket-coturn snikket-portal snikket-certs; do
            if getent passwd "$user" >/dev/null; then userdel "$user"; fi
        done
    else
        say "    settings, and everything people wrote, stay in $(dirname "$settings") and $state"
    fi
    say "    the packages of Debian stay installed: $servers"
}

main() {
    verb=install agreed='' binaries='' extra_settings='' with_tests='' purge='' domain='' email=''
    while [ $# -gt 0 ]; do
        case $1 in
            --help | -h)
                usage
                exit 0
                ;;
            --try)
                shift
                try_it "$@"
                exit
                ;;
            --deps-only) verb=deps ;;
            --tests) with_tests=yes ;;
            --uninstall) verb=uninstall ;;
            --purge) purge=yes ;;
            --agree-tos) agreed=yes ;;
            --binaries)
                [ $# -ge 2 ] || fail 64 "--binaries needs a folder" "nothing comes after it" "--binaries DIR"
                binaries=$2
                shift
                ;;
            --from)
                [ $# -ge 2 ] || fail 64 "--from needs a folder or an address" "nothing comes after it" "--from PLACE"
                release_url=$2
                shift
                ;;
            --set)
                case ${2:-} in
                    [A-Z]*=*) ;;
                    *) fail 64 "--set needs NAME=VALUE" "\`${2:-}\` is not that: names are of capital letters" "--set SNIKKET_RETENTION_DAYS=30, say" ;;
                esac
                extra_settings="$extra_settings$2
"
                shift
                ;;
            -*) fail 64 "there is no option $1" "those that there are stand in the help" "$0 --help" ;;
            *)
                if [ -z "$domain" ]; then domain=$1; elif [ -z "$email" ]; then email=$1; else
                    fail 64 "what is \`$1\`?" "a domain and an e-mail address are all it takes" "$0 --help"
                fi
                ;;
        esac
        shift
    done
    case $release_url in
        "" | http://* | https://* | file://* | /*) ;;
        *) release_url=$(cd "$release_url" 2>/dev/null && pwd) ||
            fail 64 "--from does not name a folder" "there is none of that name, and it does not begin with https://" "name the folder of a release, or its address" ;;
    esac
    if [ -n "$purge" ] && [ "$verb" != uninstall ]; then
        fail 64 "--purge goes with --uninstall only" "without it something would be installed" "$0 --uninstall --purge"
    fi
    if [ -n "$with_tests" ] && [ "$verb" != deps ]; then
        fail 64 "--tests goes with --deps-only only" "it says what else to install for the tests" "$0 --deps-only --tests"
    fi
    case $verb in
        deps) deps_only ;;
        uninstall) uninstall ;;
        install)
            if [ -n "$release_url" ]; then install_from_release; else install_it; fi
            ;;
    esac
}

main "$@"

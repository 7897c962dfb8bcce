# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the end-to-end tests, the demo and the bench share: sourced, not run.
#
#   e2e_begin NAME                 checks tools, builds the lab (scripts/lab), makes certificates in $work/pki
#   origins_start                  nginx as CUCM, IM&P and Unity, and the DNS server
#   assay_config; assay_start      configuration from the ASSAY_* variables below; assayd in the lab
#   check WHAT EXPECTED GOT …      one line each; e2e_end says how many, and fails if one failed
#
# Addresses: 198.18.2.11 CUCM, .12 IM&P, .13 Unity, .14 the impostor, .15 origin.py ("lab"), .16 origin.py with a certificate
# by SNI, .17 and .18 for a test's own origins, .53 DNS. assayd is 198.18.0.10. Everything of a run is in $work.
#
# Owner: the sourcing script. lab_begin's trap takes all down, however the script ends.

# shellcheck disable=SC2034,SC2119,SC2120 # what is set here is for the scripts that source this
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$top/tests/e2e
build=${ASSAY_BUILD:-$top/build}
export LSAN_OPTIONS=suppressions=$here/lsan.supp:print_suppressions=0
LAB_ORIGINS="198.18.2.11 198.18.2.12 198.18.2.13 198.18.2.14 198.18.2.15 198.18.2.16 198.18.2.17 198.18.2.18 198.18.2.53"
LAB_PHONES=${LAB_PHONES:-198.18.1.1}
LAB=${LAB:-e$$}
# shellcheck source=../../scripts/lab
. "$top/scripts/lab"

SNI=vcs_control.steven.lab
work=
checks_passed=0
checks_failed=0
assay_pid=
declare -A pids=()

# --- checks ------------------------------------------------------------------------------------------------------

ok()
{
    checks_passed=$((checks_passed + 1))
    printf 'ok    %s\n' "$*"
}

bad()
{
    checks_failed=$((checks_failed + 1))
    printf 'FAIL  %s\n' "$*"
}

# check WHAT EXPECTED GOT
check()
{
    if [ "$2" = "$3" ]; then ok "$1: $3"; else bad "$1: expected '$2', got '$3'"; fi
}

# check_match WHAT PATTERN GOT: an extended regular expression
check_match()
{
    if [[ $3 =~ $2 ]]; then ok "$1: $(head -c 160 <<<"$3" | head -n 1)"; else bad "$1: expected /$2/, got '$(head -c 400 <<<"$3")'"; fi
}

# check_below WHAT LIMIT NUMBER
check_below()
{
    if awk -v a="$3" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 < b + 0) }'; then ok "$1: $3 (below $2)"; else bad "$1: $3, expected below $2"; fi
}

# check_above WHAT LIMIT NUMBER
check_above()
{
    if awk -v a="$3" -v b="$2" 'BEGIN { exit !(a != "" && a + 0 > b + 0) }'; then ok "$1: $3"; else bad "$1: '$3', expected above $2"; fi
}

die()
{
    printf 'FAIL  %s\n' "$*"
    exit 1
}

# Every test ends with it: assayd must have lived, must end by itself when asked, and every check must have passed.
e2e_end()
{
    if [ -n "$assay_pid" ]; then
        if kill -0 "$assay_pid" 2>/dev/null; then assay_stop; else bad "assayd died"; fi
    fi
    if [ "$checks_failed" -gt 0 ]; then
        echo "$checks_failed of $((checks_passed + checks_failed)) checks failed"
        exit 1
    fi
    [ "$checks_passed" -gt 0 ] || die "nothing was checked"
    echo "$checks_passed checks passed"
    exit 0
}

# scripts/lab calls this before the lab goes down.
lab_on_exit()
{
    [ -n "$work" ] || return 0
    if [ "$1" != 0 ] && [ "$1" != 77 ]; then
        for file in "$work/assayd.out" "$work/assayd.log"; do
            [ -s "$file" ] || continue
            echo "--- the end of $(basename "$file"):"
            tail -n 12 "$file" | cut -c 1-400
        done
    fi
    if [ -n "${E2E_KEEP:-}" ]; then
        echo "kept: $work"
    else
        rm -rf "${work:?}"
    fi
}

# e2e_begin NAME
e2e_begin()
{
    local tool
    [ "$(id -u)" = 0 ] || { echo "skipped: $1 needs root (network namespaces)"; exit 77; }
    for tool in curl openssl nginx dnsmasq wrk h2load haproxy jq ip python3; do
        command -v "$tool" >/dev/null || [ -x "/usr/sbin/$tool" ] || die "$tool is not installed: run scripts/setup"
    done
    if [ -z "${E2E_NO_ASSAY:-}" ]; then
        { [ -x "$build/assayd" ] && [ -x "$build/assayctl" ]; } || die "no assayd in $build: build it first (ASSAY_BUILD names another folder)"
    fi
    work=$(mktemp -d "${TMPDIR:-/tmp}/assay-$1.XXXXXX")
    lab_begin || die "the lab could not be built"
    # Made once for a run of many tests, which copy them: most of the five seconds go into RSA keys.
    if [ -n "${ASSAY_PKI:-}" ]; then
        cp -r "$ASSAY_PKI" "$work/pki" || die "$ASSAY_PKI could not be copied"
    else
        "$here/make-pki" "$work/pki" || die "the certificates could not be made"
    fi
    mkdir -p "$work/trust" "$work/state"
    cp "$work/pki/root.crt" "$work/trust/steven.lab-root.pem"
}

# --- processes ---------------------------------------------------------------------------------------------------

# start NAME WHERE COMMAND...: in the background in that namespace; its output is in $work/NAME.out
start()
{
    local name=$1 where=$2
    shift 2
    lab_spawn "$where" "$work/$name.out" "$@"
    pids[$name]=$LAB_PID
}

# stop NAME [SIGNAL]: ends it and waits, at most 10 s; the exit code is in $stopped
stop()
{
    local pid=${pids[$1]:-} i
    stopped=0
    [ -n "$pid" ] || return 0
    kill "-${2:-TERM}" "$pid" 2>/dev/null
    for ((i = 0; i < 200; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    stopped=$?
    unset "pids[$1]"
}

# until_true SECONDS COMMAND...: repeats the command until it succeeds
until_true()
{
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# listens WHERE ADDRESS PORT: is a kernel socket there? (without connecting: an origin would record that)
listens()
{
    [ -n "$(lab_exec "$1" ss -Hltn "sport = :$3" | awk -v a="$2:$3" -v b="0.0.0.0:$3" '$4 == a || $4 == b')" ]
}

# --- origins -----------------------------------------------------------------------------------------------------

# OpenSSL's defaults at Debian refuse to serve the SHA-1 and 1024-bit certificates that real nodes have.
old_openssl()
{
    cat >"$work/openssl-old.cnf" <<'CNF'
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = old
[old]
CipherString = DEFAULT:@SECLEVEL=0
CNF
}

# dns_names: (re)writes what the DNS server knows; further "ADDRESS NAME" lines come from $work/hosts.more
dns_names()
{
    {
        cat <<'TEXT'
198.18.0.10 vcs_control.steven.lab edge.steven.lab
198.18.2.11 cucm.steven.lab cucm-sub.steven.lab steven.lab
198.18.2.12 imp.steven.lab
198.18.2.13 unity.steven.lab
198.18.2.14 unity2.steven.lab
198.18.2.15 lab.steven.lab
198.18.2.17 matrix.steven.lab
198.18.2.16 unknown.steven.lab foreign.steven.lab missing.steven.lab expired.steven.lab notyet.steven.lab badsig.steven.lab
198.18.2.16 purpose.steven.lab critical.steven.lab constraint.steven.lab pathlen.steven.lab notca.steven.lab
198.18.2.16 weakkey.steven.lab selfsigned.steven.lab revoked.steven.lab current.steven.lab
TEXT
        cat "$work/hosts.more" 2>/dev/null
    } >"$work/hosts"
    [ -z "${pids[dns]:-}" ] || kill -HUP "${pids[dns]}"
}

dns_start()
{
    dns_names
    start dns origin dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --addn-hosts="$work/hosts" --local=/#/ \
        --listen-address=198.18.2.53 --bind-interfaces --port=53 --user=root --pid-file= --log-facility=- --local-ttl=5
    until_true 10 lab_exec origin ss -Hlun "sport = :53 and src 198.18.2.53" || die "the DNS server did not start"
}

# cucm_serves CERTIFICATE...: what CUCM's port 8443 presents: sha256, sha1, ecdsa, ip; two of them with two key types
cucm_serves()
{
    local name
    for name in "$@"; do
        echo "ssl_certificate $work/pki/cucm-$name.pem; ssl_certificate_key $work/pki/cucm-$name.key;"
    done >"$work/cucm-8443.inc"
}

nginx_config()
{
    cat >"$work/nginx.conf" <<CONF
user root;
worker_processes 1;
worker_rlimit_nofile 16384;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log warn;
events { worker_connections 8192; }
http {
    log_format lab '\$server_addr:\$server_port \$ssl_protocol \$ssl_cipher reused=\$ssl_session_reused '
                   'client=\$ssl_client_verify "\$ssl_client_s_dn" host=\$http_host via="\$http_via" "\$request" \$status';
    access_log ${NGINX_LOG:-$work/nginx-access.log} lab;
    default_type application/xml;
    types { application/octet-stream bin; application/json json; }
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 1000000;
    client_max_body_size 0;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi; uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    ssl_protocols ${ORIGIN_TLS:-TLSv1.2 TLSv1.3};
    ssl_session_cache shared:s:2m;
    root $work/www/cucm;
    server { # CUCM: tomcat
        listen 198.18.2.11:8443 ssl backlog=4096;
        include $work/cucm-8443.inc;
        location /cucm-uds/lab/ { root $work/www/lab; dav_methods PUT; create_full_put_path on; }
        location / { }
    }
    server { # CUCM: tomcat-ECDSA asks for a client certificate
        listen 198.18.2.11:6972 ssl backlog=4096;
        ssl_certificate $work/pki/tomcat-ec.pem; ssl_certificate_key $work/pki/tomcat-ec.key;
        ssl_verify_client optional_no_ca;
    }
    server { # CUCM: CallManager-ECDSA, same name, another key
        listen 198.18.2.11:6971 ssl backlog=4096;
        ssl_certificate $work/pki/callmanager-ec.pem; ssl_certificate_key $work/pki/callmanager-ec.key;
    }
    server { # CUCM: TFTP over HTTP
        listen 198.18.2.11:6970 backlog=4096;
    }
    server { # IM&P
        listen 198.18.2.12:8443 ssl backlog=4096;
        root $work/www/imp;
        ssl_certificate $work/pki/imp.pem; ssl_certificate_key $work/pki/imp.key;
    }
    server { # Unity Connection
        listen 198.18.2.13:8443 ssl backlog=4096;
        root $work/www/unity;
        include $work/unity-8443.inc;
    }
}
CONF
}

www_files()
{
    mkdir -p "$work/www/cucm/cucm-uds/user/emusk" "$work/www/imp/EPASSoap/service" "$work/www/unity/vmrest" "$work/www/lab/cucm-uds/lab"
    cat >"$work/www/cucm/cucm-uds/user/emusk/devices" <<'XML'
<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<devices uri="https://cucm.steven.lab:8443/cucm-uds/user/emusk/devices" version="14.0.1" start="0" requestedCount="64" returnedCount="2" totalCount="2">
  <device uri="https://cucm.steven.lab:8443/cucm-uds/device/5cd6f7a9"><name>CSFemusk</name><type>Cisco Unified Client Services Framework</type><description>emusk Jabber</description></device>
  <device uri="https://cucm.steven.lab:8443/cucm-uds/device/0a1f33c2"><name>TCTemusk</name><type>Cisco Dual Mode for iPhone</type><description>emusk phone</description></device>
</devices>
XML
    cat >"$work/www/cucm/cucm-uds/version" <<'XML'
<?xml version="1.0" encoding="UTF-8" standalone="yes"?><versionInformation uri="https://cucm.steven.lab:8443/cucm-uds/version" version="14.0.1"><version>14.0.1</version></versionInformation>
XML
    cat >"$work/www/cucm/CSFemusk.cnf.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<device><fullConfig>true</fullConfig><deviceProtocol>SIP</deviceProtocol><devicePool><callManagerGroup><members>
<member priority="0"><callManager><name>cucm.steven.lab</name><ports><sipPort>5060</sipPort><securedSipPort>5061</securedSipPort></ports></callManager></member>
</members></callManagerGroup></devicePool><phoneLabel>emusk</phoneLabel></device>
XML
    echo '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>' >"$work/www/imp/EPASSoap/service/v105"
    echo '<Version><name>Unity Connection</name><version>14.0.1</version></Version>' >"$work/www/unity/vmrest/version"
    head -c 1024 /dev/zero | tr '\0' 'x' >"$work/www/cucm/cucm-uds/1k.bin"
    cp "$work/www/cucm/cucm-uds/1k.bin" "$work/www/lab/cucm-uds/lab/1k.bin"
}

origins_start()
{
    old_openssl
    www_files
    [ -f "$work/cucm-8443.inc" ] || cucm_serves sha256
    [ -f "$work/unity-8443.inc" ] ||
        echo "ssl_certificate $work/pki/unity.pem; ssl_certificate_key $work/pki/unity.key;" >"$work/unity-8443.inc"
    nginx_config
    dns_start
    start nginx origin env OPENSSL_CONF="$work/openssl-old.cnf" nginx -c "$work/nginx.conf" -e "$work/nginx-error.log"
    until_true 10 listens origin 198.18.2.13 8443 || die "nginx did not start: $(tail -n 3 "$work/nginx.out" "$work/nginx-error.log")"
}

# Takes cucm-8443.inc as it now is. Old workers finish what they have; the new ones answer when this returns.
origins_reload()
{
    local before after
    before=$(pgrep -P "${pids[nginx]}" | sort -n | tail -n 1)
    kill -HUP "${pids[nginx]}"
    for _ in $(seq 100); do
        after=$(pgrep -P "${pids[nginx]}" | sort -n | tail -n 1)
        [ "$after" = "$before" ] || { sleep 0.3; return 0; }
        sleep 0.05
    done
    die "nginx did not reload: $(tail -n 3 "$work/nginx-error.log")"
}

# lab_origin NAME ARGUMENTS...: an origin.py of that name in the origin namespace; its record is $work/NAME.jsonl
lab_origin()
{
    local name=$1 word where
    shift
    : >"$work/$name.jsonl"
    start "$name" origin "$here/origin.py" --pki "$work/pki" --record "$work/$name.jsonl" "$@"
    for word in "$@"; do
        where=${word%%=*}
        [[ $where =~ ^198\.18\.[0-9.]+:[0-9]+$ ]] || continue
        until_true 10 listens origin "${where%:*}" "${where#*:}" || die "origin.py did not start: $(tail -n 3 "$work/$name.out")"
    done
}

# --- assayd ------------------------------------------------------------------------------------------------------

# mra_path HOST PORT [SCHEME] [DOMAIN]: "/" and the first segment of a request's path (MRA S13)
mra_path()
{
    printf '/%s' "$(printf '%s/%s/%s/%s' "${4:-steven.lab}" "${3:-https}" "$1" "$2" | base64 -w 0 | tr -d '=')"
}

# e2e_cores: CPUs for the cores of assayd: E2E_CORES of them (default 1), the first ones we may use
e2e_cores()
{
    python3 -c 'import os, sys; print(sorted(os.sched_getaffinity(0))[:int(sys.argv[1])])' "${E2E_CORES:-1}"
}

# The configuration, from (each with a default): ASSAY_CORES ASSAY_PORT_DEVICE ASSAY_PORT (more keys of port) ASSAY_MEMORY ASSAY_IDLE ASSAY_TCP ASSAY_TLS ASSAY_VERIFY
# ASSAY_LIMITS ASSAY_TIMEOUTS ASSAY_LOG_REQUESTS: YAML in flow style; ASSAY_NODES, ASSAY_LISTENERS, ASSAY_MORE: whole lines.
assay_config()
{
    local device=${ASSAY_PORT_DEVICE:-$(lab_device af_packet)} memory=${ASSAY_MEMORY:-"{size: 512MiB}"}
    local idle=${ASSAY_IDLE:-"{polls: 200, sleep: 50us}"} verify=${ASSAY_VERIFY:-"{mode: enforced}"}
    local listeners=${ASSAY_LISTENERS:-"  - {port: 8443, clients: 198.18.1.0/24}"}
    local nodes="  - {address: cucm.steven.lab, type: cucm}
  - {address: imp.steven.lab, type: imp}
  - {address: unity.steven.lab, type: unity}"
    cat >"$work/assay.yaml" <<YAML
port: {device: "$device", address: $LAB_PROXY/$LAB_MASK${ASSAY_PORT:+, $ASSAY_PORT}}
cores: ${ASSAY_CORES:-$(e2e_cores)}
memory: $memory
idle: $idle
tcp: ${ASSAY_TCP:-{\}}
listeners:
$listeners
credentials:
  - {chain: pki/edge.pem, key: pki/edge.key}
client_credentials:
  - {chain: pki/edge-client.pem, key: pki/edge-client.key}
tls: ${ASSAY_TLS:-{\}}
trust: {directory: trust${ASSAY_REVOCATION:+, revocation: $ASSAY_REVOCATION}}
verify: $verify
nodes:
${ASSAY_NODES:-$nodes}
allow_list: allow.csv
domains:
  - {name: steven.lab, edge_config: "https://cucm.steven.lab:8443"}
  - {name: branch.lab}
dns: {servers: $LAB_DNS, refresh: 5s}
limits: ${ASSAY_LIMITS:-{\}}
timeouts: ${ASSAY_TIMEOUTS:-{\}}
log: {file: assayd.log, requests: ${ASSAY_LOG_REQUESTS:-on}}
admin: {socket: admin.sock}
via: edge
${ASSAY_MORE:-}
YAML
    [ -f "$work/allow.csv" ] || allow_list
}

# allow_list [LINES-OF-CSV...]: the manual rules
allow_list()
{
    {
        echo "Url,Deployment,HttpMethods,MatchType,Description"
        echo 'https://cucm.steven.lab:8443/cucm-uds/lab/,1,"GET,HEAD,PUT",prefix,Transfers of the lab'
        echo 'https://lab.steven.lab:8443/lab/,1,"GET,HEAD,PUT,POST,DELETE,OPTIONS,PATCH",prefix,The lab'"'"'s origin'
        echo 'http://lab.steven.lab:8080/lab/,1,"GET,HEAD,PUT,POST,DELETE,OPTIONS,PATCH",prefix,The lab'"'"'s origin without TLS'
        [ $# = 0 ] || printf '%s\n' "$@"
    } >"$work/allow.csv"
}

ctl()
{
    "$build/assayctl" --socket "$work/admin.sock" "$@"
}

# Starts assayd with $work/assay.yaml; returns when it answers on its admin socket and by TLS.
assay_start()
{
    lab_spawn proxy "$work/assayd.out" "$build/assayd" --config "$work/assay.yaml" --state-directory "$work/state"
    assay_pid=$LAB_PID
    local end=$((SECONDS + 30))
    until assay_ready >/dev/null 2>&1; do
        kill -0 "$assay_pid" 2>/dev/null || die "assayd ended at once: $(tail -n 5 "$work/assayd.out")"
        [ "$SECONDS" -lt "$end" ] || die "assayd did not come up: $(tail -n 5 "$work/assayd.out")"
        sleep 0.1
    done
}

assay_ready()
{
    ctl status && lab_exec phone timeout 2 bash -c "exec 3<>/dev/tcp/$LAB_PROXY/8443"
}

# SIGTERM: it drains and ends by itself, with exit code 0
assay_stop()
{
    local rc=0 i
    kill -TERM "$assay_pid" 2>/dev/null
    for ((i = 0; i < ${1:-40} * 10; i++)); do
        kill -0 "$assay_pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$assay_pid" 2>/dev/null; then
        kill -KILL "$assay_pid"
        bad "assayd did not end within ${1:-40} s after SIGTERM"
        wait "$assay_pid" 2>/dev/null
    else
        wait "$assay_pid" || rc=$?
        check "exit code of assayd" 0 "$rc"
    fi
    assay_pid=
}

# fetch TARGET [CURL OPTIONS...]: through assayd; sets $status, $reason, $body (a file)
fetch()
{
    local target=$1
    shift
    body=$work/body.out
    : >"$body"
    : >"$work/head.out"
    lab_exec phone curl -sS --max-time "${FETCH_TIMEOUT:-20}" --cacert "$work/pki/edge-root.crt" --resolve "$SNI:8443:$LAB_PROXY" \
        -o "$body" -D "$work/head.out" "$@" "https://$SNI:8443$target" 2>"$work/curl.err" || :
    # The last head: interim ones come before it.
    status=$(tr -d '\r' <"$work/head.out" 2>/dev/null | sed -n 's/^HTTP\/1\.[01] \([0-9]*\).*/\1/p' | tail -n 1)
    reason=$(tr -d '\r' <"$work/head.out" 2>/dev/null | sed -n 's/^HTTP\/1\.[01] [0-9]* *//p' | tail -n 1)
    [ -n "$status" ] || { status=none; reason=$(head -n 1 "$work/curl.err"); }
}

# counter NAME: of `assayctl stats --json`, of all cores together
counter()
{
    ctl stats --json | jq -r --arg n "$1" '[.total[] | .[$n]? | numbers] | add // empty'
}

# heap: bytes of the TLS allocators of all cores; buffers: packet buffers in use, of all pools
heap()
{
    ctl status --json | jq -r '[.cores[].heap_bytes] | add'
}

buffers()
{
    ctl status --json | jq -r '.memory.buffers_in_use'
}

# log_since MARK PATTERN: the lines of assayd's log behind byte MARK that match; logs are written every few milliseconds
log_mark()
{
    wc -c <"$work/assayd.log"
}

log_since()
{
    tail -c "+$(($1 + 1))" "$work/assayd.log" | grep -E -- "$2"
}

# log_wait MARK PATTERN: waits up to 3 s for such a line and prints the lines
log_wait()
{
    until_true 3 log_since "$1" "$2"
    log_since "$1" "$2"
}

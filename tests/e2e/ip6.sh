#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=170 parallel
#
# IPv6 on both sides of assayd, beside IPv4: neighbour discovery and ping with Linux, clients and origins of both families in
# every pairing, names with AAAA records and what happens when one of two addresses is dead, literals in the MRA path, addresses
# in certificates, a path with a smaller MTU, an address that somebody else has; then fragments, and a VLAN.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin ip6
[ -e /proc/sys/net/ipv6 ] || { echo "skipped: the kernel has no IPv6"; exit 77; }
cucm6=$(lab_ip6 198.18.2.11)
imp6=$(lab_ip6 198.18.2.12)
lab6=$(lab_ip6 198.18.2.15)
phone6=$(lab_ip6 198.18.1.1)

# Names of both families; of dual.steven.lab one IPv6 address is where nobody is, of half.steven.lab its only one.
{
    echo "$cucm6 cucm.steven.lab cucm6.steven.lab dual.steven.lab"
    echo "198.18.2.11 dual.steven.lab half.steven.lab refused.steven.lab"
    echo "2001:db8::2:99 half.steven.lab"
    echo "$imp6 refused.steven.lab"
    echo "$lab6 lab.steven.lab"
} >"$work/hosts.more"
# A certificate with both kinds of address, and the names that stand for one origin here.
(
    cd "$work/pki" || exit 1
    openssl ecparam -genkey -noout -name prime256v1 -out six.key &&
        openssl req -new -key six.key -subj "/CN=cucm6" -out six.csr &&
        printf 'subjectAltName=%s\n' "DNS:cucm6.steven.lab,DNS:dual.steven.lab,DNS:half.steven.lab,DNS:refused.steven.lab,IP:$cucm6" >six.ext &&
        openssl x509 -req -in six.csr -CA issuing.crt -CAkey issuing.key -set_serial 77777 -days 30 -extfile six.ext -out six.crt &&
        cat six.crt issuing.crt >six.pem
) >"$work/six.log" 2>&1 || die "no certificate: $(tail -n 3 "$work/six.log")"

origins_start
# nginx on IPv6: the same files; one server with the certificate above for 9443 of both families
{
    cat <<CONF
error_log $work/nginx6-error.log warn; pid $work/nginx6.pid; daemon off; user root; worker_processes 1;
events { worker_connections 1024; }
http {
    log_format lab '\$server_addr:\$server_port \$remote_addr host=\$http_host xff="\$http_x_forwarded_for" "\$request" \$status';
    access_log $work/nginx6-access.log lab;
    default_type application/xml; root $work/www/cucm;
    client_body_temp_path $work/body6; proxy_temp_path $work/proxy6; fastcgi_temp_path $work/fastcgi6;
    uwsgi_temp_path $work/uwsgi6; scgi_temp_path $work/scgi6;
    server {
        listen [$cucm6]:9443 ssl; listen 198.18.2.11:9443 ssl;
        ssl_certificate $work/pki/six.pem; ssl_certificate_key $work/pki/six.key;
    }
    server { listen [$cucm6]:9080; }
}
CONF
} >"$work/nginx6.conf"
head -c 3000000 /dev/urandom >"$work/www/cucm/cucm-uds/3m.bin"
start nginx6 origin nginx -c "$work/nginx6.conf" -e "$work/nginx6-error.log"
listens6() { [ -n "$(lab_exec origin ss -Hltn6 "sport = :$1")" ]; }
until_true 10 listens6 9443 || die "nginx did not start on IPv6: $(tail -n 3 "$work/nginx6.out" "$work/nginx6-error.log")"

allow_list "https://cucm6.steven.lab:9443/,1,GET,prefix,Only AAAA" "https://dual.steven.lab:9443/,1,GET,prefix,A and AAAA" \
    "https://half.steven.lab:9443/,1,GET,prefix,A dead AAAA" "https://refused.steven.lab:9443/,1,GET,prefix,An AAAA that refuses" \
    "https://[$cucm6]:9443/,1,GET,prefix,By address" "http://[$cucm6]:9080/,1,GET,prefix,By address without TLS" \
    "https://198.18.2.11:9443/,1,GET,prefix,An address that is not in the certificate" "https://[::1]:9443/,1,GET,prefix,Never"

# config6 ADDRESSES MORE [KIND]: the lab's configuration with other keys of the port
config6()
{
    assay_config
    sed -i "s|^port: .*|port: {device: \"$(lab_device "${3:-af_packet}")\", address: $1$2}|" "$work/assay.yaml"
}
both="[$LAB_PROXY/$LAB_MASK, \"$LAB_PROXY6/$LAB_MASK6\"]"
ASSAY_LISTENERS="  - {port: 8443, clients: 198.18.1.0/24}
  - {port: 8443, address: \"$LAB_PROXY6\", clients: \"2001:db8::1:0/112\", trusted_peers: \"$phone6/128\"}"
ASSAY_TIMEOUTS="{origin_connect: 8s}"
config6 "$both" ""
assay_start
fetch6() { fetch "$@" --resolve "$SNI:8443:[$LAB_PROXY6]" -6; }
# fetch's own --resolve comes first; curl takes the last one for the same host and port
get() { # FAMILY TARGET...: status and body's digest
    local family=$1
    shift
    "fetch$family" "$@"
    echo "$status $(sha256sum <"$body" | head -c 12)"
}
counter() { ctl stats --json | jq -r ".total.net.$1 // .total.proxy.$1"; }
file() { echo "200 $(sha256sum <"$work/www/cucm/cucm-uds/$1" | head -c 12)"; }

# --- the neighbours ---------------------------------------------------------------------------------------------------
until_true 5 lab_exec phone ping -6 -q -c 1 -W 1 "$LAB_PROXY6"
check "ping -6" "0% packet loss" "$(lab_exec phone ping -6 -q -c 20 -i 0.02 -W 1 "$LAB_PROXY6" | grep -o '[0-9]*% packet loss')"
check "ping -6, full frames" "0% packet loss" "$(lab_exec phone ping -6 -q -c 5 -i 0.05 -W 1 -M do -s 1452 "$LAB_PROXY6" | grep -o '[0-9]*% packet loss')"
mac=$(lab_exec proxy cat /sys/class/net/port0/address)
check_match "ip -6 neigh of the phone" "$mac" "$(lab_exec phone ip -6 neigh show "$LAB_PROXY6")"
link_local=fe80::$(python3 -c "m=bytes.fromhex('$mac'.replace(':','')); e=bytes([m[0]^2])+m[1:3]+b'\xff\xfe'+m[3:]; print(':'.join(f'{e[i]<<8|e[i+1]:x}' for i in (0,2,4,6)))")
check "ping of its link-local address" "0% packet loss" "$(lab_exec phone ping -6 -q -c 3 -i 0.05 -W 1 "$link_local%eth0" | grep -o '[0-9]*% packet loss')"
check "UDP is refused by ICMPv6" refused "$(lab_exec phone python3 -c "
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.settimeout(2); s.connect(('$LAB_PROXY6', 4433)); s.send(b'x')
try: s.recv(1)
except ConnectionRefusedError: print('refused')")"

# --- clients and origins of both families --------------------------------------------------------------------------------
cucm4=$(mra_path cucm.steven.lab 8443)
only6=$(mra_path cucm6.steven.lab 9443)
literal=$(mra_path "$cucm6" 9443)
bracketed=$(mra_path "[$cucm6]" 9443)
until_true 10 test "$(get 6 "$only6/cucm-uds/1k.bin")" = "$(file 1k.bin)"
check "an IPv6 client, an IPv6 origin" "$(file 1k.bin)" "$(get 6 "$only6/cucm-uds/1k.bin")"
check "an IPv4 client, an IPv6 origin" "$(file 1k.bin)" "$(get "" "$only6/cucm-uds/1k.bin")"
check "an IPv6 client, an IPv4 origin" "200" "$(get 6 "$(mra_path imp.steven.lab 8443)/EPASSoap/service/v105" | cut -d ' ' -f 1)"
check "3 MB from IPv6 to IPv6" "$(file 3m.bin)" "$(get 6 "$only6/cucm-uds/3m.bin")"
mark=$(log_mark)
check "an IPv6 literal in the MRA path" "$(file 1k.bin)" "$(get 6 "$literal/cucm-uds/1k.bin")"
check "the same in brackets" "$(file 1k.bin)" "$(get 6 "$bracketed/cucm-uds/1k.bin")"
check "the same, spelled otherwise" "$(file 1k.bin)" "$(get 6 "$(mra_path 2001:0DB8:0::0:2:0011 9443)/cucm-uds/1k.bin")"
check "a literal without TLS" "$(file 1k.bin)" "$(get 6 "$(mra_path "$cucm6" 9080 http)/cucm-uds/1k.bin")"
check "Host at the origin" "[$cucm6]:9443" "$(tail -n 2 "$work/nginx6-access.log" | head -n 1 | sed 's/.*host=\([^ ]*\).*/\1/')"
check "the source is ours" "$LAB_PROXY6" "$(tail -n 1 "$work/nginx6-access.log" | cut -d ' ' -f 2)"
check_match "the client in the log" "Src-ip=\"$phone6\"" "$(log_wait "$mark" 'Detail="Receive Request"')"
check_match "the origin in the log" "Dst-ip=\"$cucm6\" Dst-port=\"9443\"" "$(log_wait "$mark" "Dst-ip=\"$cucm6\"")"
mark=$(log_mark)
check "an address that is not in the certificate" "502 connect failed" "$(get "" "$(mra_path 198.18.2.11 9443)/cucm-uds/1k.bin" >/dev/null; fetch "$(mra_path 198.18.2.11 9443)/x"; echo "$status $reason")"
check_match "why" 'SNI \(198\.18\.2\.11\) not in certificate' "$(log_wait "$mark" 'not in certificate')"
check "loopback is never an origin" 403 "$(get 6 "$(mra_path ::1 9443)/x" | cut -d ' ' -f 1)"
check "assayd itself is never an origin" 403 "$(get 6 "$(mra_path "$LAB_PROXY6" 8443)/x" | cut -d ' ' -f 1)"
check "IPv4 in the clothes of IPv6 is that IPv4 address" 403 "$(get 6 "$(mra_path ::ffff:198.18.2.12 9443)/x" | cut -d ' ' -f 1)"
check "the body of another literal is not allowed" 403 "$(get 6 "$(mra_path "$imp6" 9443)/x" | cut -d ' ' -f 1)"
check "a client that is not in clients" none "$(lab_exec phone ip -6 address add 2001:db8::7:1/64 dev eth0 nodad; fetch6 "$only6/cucm-uds/1k.bin" --interface 2001:db8::7:1; echo "$status")"
lab_exec phone ip -6 address del 2001:db8::7:1/64 dev eth0
tail -n 1 "$work/nginx6-access.log" >"$work/before"
fetch6 "$only6/cucm-uds/1k.bin" -H "X-Forwarded-For: 2001:db8:ffff::9"
check_match "X-Forwarded-For of a trusted peer" "xff=\"2001:db8:ffff::9(, $phone6)?\"" "$(tail -n 1 "$work/nginx6-access.log")"

# --- one of two addresses --------------------------------------------------------------------------------------------------
check "a name with both: IPv6 is taken" "$(file 1k.bin) [$cucm6]:9443" "$(get "" "$(mra_path dual.steven.lab 9443)/cucm-uds/1k.bin") $(tail -n 1 "$work/nginx6-access.log" | awk '{ n = split($1, a, ":"); printf "%s", ($1 ~ /\[/ ? $1 : "[" substr($1, 1, length($1) - length(a[n]) - 1) "]:" a[n]) }')"
check "its IPv6 address refuses: IPv4 is taken" "$(file 1k.bin)" "$(get "" "$(mra_path refused.steven.lab 9443)/cucm-uds/1k.bin")"
start_s=$SECONDS
check "its IPv6 address is dead: IPv4 is taken" "$(file 1k.bin)" "$(get "" "$(mra_path half.steven.lab 9443)/cucm-uds/1k.bin")"
check_below "and soon" 6 $((SECONDS - start_s))
start_s=$SECONDS
check "the next time at once" "$(file 1k.bin)" "$(get "" "$(mra_path half.steven.lab 9443)/cucm-uds/1k.bin")"
check_below "really" 2 $((SECONDS - start_s))

# --- an address that somebody else has (RFC 4862) -------------------------------------------------------------------------
assay_stop
lab_exec phone ip -6 address add "$LAB_PROXY6/$LAB_MASK6" dev eth0 nodad
mark=$(log_mark)
assay_start
check_match "a duplicate is found and said" "another host has our address $LAB_PROXY6: it is not used" "$(log_wait "$mark" 'ALARM: another host')"
check "and counted" 1 "$(counter ndp_duplicates)"
check_match "and in the status" "another host has our address $LAB_PROXY6" "$(ctl status --json | jq -r '.alarms[]')"
lab_exec origin ip -6 neigh flush dev eth0
lab_exec origin ping -6 -q -c 1 -W 1 "$LAB_PROXY6" >/dev/null
check_match "who has it keeps it" "$(lab_exec phone cat /sys/class/net/eth0/address)" "$(lab_exec origin ip -6 neigh show "$LAB_PROXY6")"
check "IPv4 is served all the same" 200 "$(get "" "$cucm4/cucm-uds/1k.bin" | cut -d ' ' -f 1)"
check "an IPv6 origin cannot be reached then" 502 "$(get "" "$only6/cucm-uds/1k.bin" | cut -d ' ' -f 1)"
lab_exec phone ip -6 address del "$LAB_PROXY6/$LAB_MASK6" dev eth0
assay_stop

# --- fragments -----------------------------------------------------------------------------------------------------------
# On af_xdp: DPDK's af_packet has the kernel put IPv4 fragments together, and cuts what does not fit its frames.
loss() { lab_exec phone ping -q -c 5 -i 0.05 -W 1 "$@" | grep -o '[0-9]*% packet loss'; }
config6 "$both" "" af_xdp
assay_start
until_true 5 lab_exec phone ping -6 -q -c 1 -W 1 "$LAB_PROXY6"
check "fragments are dropped: ping -s 3000" "100% packet loss" "$(loss -s 3000 "$LAB_PROXY")"
check "fragments are dropped: ping -6 -s 3000" "100% packet loss" "$(loss -6 -s 3000 "$LAB_PROXY6")"
check "counted" "15 15" "$(counter drop_ip4_fragment) $(counter drop_ip6_fragment)"
assay_stop
config6 "$both" ", fragments: reassemble" af_xdp
assay_start
until_true 5 lab_exec phone ping -6 -q -c 1 -W 1 "$LAB_PROXY6"
check "fragments are put together: ping -s 3000" "0% packet loss" "$(loss -s 3000 "$LAB_PROXY")"
check "fragments are put together: ping -6 -s 3000" "0% packet loss" "$(loss -6 -s 3000 "$LAB_PROXY6")"
check "the longest that is taken: 16 fragments" "0% packet loss" "$(loss -s 23000 "$LAB_PROXY")"
check "a longer one is refused" "100% packet loss" "$(loss -s 24000 "$LAB_PROXY")"
check "what was put together" 15 "$(counter fragments_reassembled)"
check_above "what was refused" 4 "$(counter fragments_refused)"
check "and a request still passes" "$(file 1k.bin)" "$(get 6 "$only6/cucm-uds/1k.bin")"
assay_stop

# --- a VLAN --------------------------------------------------------------------------------------------------------------
# A kernel without 802.1Q will do: the cable to assayd goes through tagger.py, which makes it the trunk of a switch whose other
# ports are all in VLAN 42.
lab_exec sw ip link set proxy nomaster
lab_exec sw ip link add access type veth peer name trunk
for end in access trunk; do
    lab_exec sw ip link set "$end" up
    lab_exec sw ethtool -K "$end" tx off >/dev/null
done
lab_exec sw ip link set access master br0
trunk_of() { # VLAN|none
    stop tagger
    rm -f "$work/tagger.out"
    start tagger sw "$here/tagger.py" trunk proxy "$1"
    until_true 10 grep -q ready "$work/tagger.out" || die "no trunk: $(tail -n 3 "$work/tagger.out")"
}
trunk_of 42
config6 "$both" ", vlan: 42"
assay_start
until_true 5 lab_exec phone ping -6 -q -c 1 -W 1 "$LAB_PROXY6"
check "ping in the VLAN" "0% packet loss" "$(loss "$LAB_PROXY")"
check "ping -6 in the VLAN, full frames" "0% packet loss" "$(loss -6 -M do -s 1452 "$LAB_PROXY6")"
until_true 10 test "$(get 6 "$only6/cucm-uds/1k.bin")" = "$(file 1k.bin)"
check "a request in the VLAN" "$(file 1k.bin)" "$(get "" "$cucm4/cucm-uds/1k.bin")"
check "3 MB in the VLAN" "$(file 3m.bin)" "$(get 6 "$only6/cucm-uds/3m.bin")"
before=$(counter drop_vlan)
trunk_of 43
check "another VLAN is not ours" "100% packet loss" "$(loss "$LAB_PROXY")"
check_above "and counted" "$before" "$(counter drop_vlan)"
before=$(counter drop_vlan)
trunk_of none
check "untagged frames are not ours" "100% packet loss" "$(loss "$LAB_PROXY")"
check_above "and counted" "$before" "$(counter drop_vlan)"
trunk_of 42
check "and back in its VLAN it answers" "0% packet loss" "$(loss "$LAB_PROXY")"

e2e_end

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the benches share on top of tests/e2e/lib.sh: an nginx origin on CPU 1, assayd's core on CPU 0, and the kernel's receive work
# with whom it is for. kind: assayd's virtual port (af_packet). proxy_assayd sets $address.
# Owner: the sourcing script.

# shellcheck disable=SC2034,SC2154 # shared with the scripts that source this, and with lib.sh
# rps WHERE INTERFACE MASK: on which CPUs the kernel's receive work of that interface runs
rps() { lab_exec "$1" sh -c "echo $3 >/sys/class/net/$2/queues/rx-0/rps_cpus"; }

pin_network()
{
    rps phone eth0 2 && rps origin eth0 2 && rps sw phone 2 && rps sw origin 2 && rps sw proxy 1 && rps sw control 1 &&
        rps proxy port0 1 && rps proxy ctl0 1
}

origin_start()
{
    mkdir -p "$work/www/cucm-uds"
    head -c 1024 /dev/zero | tr '\0' x >"$work/www/cucm-uds/1k"
    head -c 1048576 /dev/urandom >"$work/www/cucm-uds/1m"
    cat >"$work/origin.conf" <<CONF
user root; daemon off; worker_processes 1; pid $work/origin.pid; error_log $work/origin-error.log warn;
events { worker_connections 4096; }
http {
    access_log off; default_type application/octet-stream; sendfile on; tcp_nodelay on;
    keepalive_timeout 300s; keepalive_requests 100000000;
    client_body_temp_path $work/ob; proxy_temp_path $work/op; fastcgi_temp_path $work/of; uwsgi_temp_path $work/ou; scgi_temp_path $work/os;
    server {
        listen 198.18.2.11:8443 ssl backlog=4096; ssl_protocols TLSv1.3; root $work/www;
        ssl_certificate $work/pki/cucm-ecdsa.pem; ssl_certificate_key $work/pki/cucm-ecdsa.key;
        ssl_session_cache shared:o:2m;
    }
}
CONF
    dns_start
    start origin origin taskset -c 1 nginx -c "$work/origin.conf" -e "$work/origin-error.log"
    until_true 10 listens origin 198.18.2.11 8443 || die "the origin did not start"
}

proxy_assayd()
{
    ASSAY_LOG_REQUESTS=off
    ASSAY_PORT_DEVICE=$(lab_device "${kind:-af_packet}")
    ASSAY_TLS="{origins_min: 1.3, clients_min: 1.3}"
    ASSAY_MORE="control_cpus: 1"
    ASSAY_LIMITS="{origin_connections_max: 128}"
    ASSAY_TIMEOUTS="{client_idle: 300s, origin_idle: 300s}"
    assay_config
    assay_start
    address=$LAB_PROXY
}

proxy_stop()
{
    if [ -n "$assay_pid" ]; then
        kill -TERM "$assay_pid"
        wait "$assay_pid" 2>/dev/null
        assay_pid=
    fi
    stop proxy QUIT
}

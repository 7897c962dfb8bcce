#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=150 parallel
#
# assayctl capture, read by tcpdump: both directions, filters, limits, what is refused. And assayctl connections on the way.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# shown FILE [FILTER]: how many packets tcpdump finds
shown()
{
    tcpdump -nn -r "$work/state/capture/$1" "${@:2}" 2>/dev/null | wc -l
}

ended()
{
    [ "$(ctl capture status --json | jq -r .state)" = ended ]
}

e2e_begin capture
command -v tcpdump >/dev/null || die "tcpdump is not installed: run scripts/setup"
origins_start
assay_config
assay_start
cucm=$(mra_path cucm.steven.lab 8443)

check "none at first" none "$(ctl capture status --json | jq -r .state)"
ctl capture start --file clients.pcapng --filter "tcp port 8443 and host 198.18.1.1" >"$work/ctl.out" || bad "start was refused"
check_match "it says where" "$work/state/capture/clients.pcapng" "$(cat "$work/ctl.out")"
check_match "one at a time" "a capture is running" "$(ctl capture start --file b.pcapng 2>&1)"
for _ in 1 2 3 4 5; do
    fetch "$cucm/cucm-uds/1k.bin"
done
check "requests meanwhile" 200 "$status"
lab_exec phone ping -q -c 2 -i 0.1 -W 2 "$LAB_PROXY" >/dev/null
ctl capture stop --json >"$work/stop.json"
check "ended" stopped "$(jq -r .ended "$work/stop.json")"
check "nothing was lost" 0 "$(jq -r .dropped "$work/stop.json")"
packets=$(jq -r .packets "$work/stop.json")
check_above "packets of five requests" 50 "$packets"
check "tcpdump reads as many" "$packets" "$(shown clients.pcapng)"
check "all of them of that client" "$packets" "$(shown clients.pcapng tcp and port 8443 and host 198.18.1.1)"
check_above "received ones" 20 "$(shown clients.pcapng src host 198.18.1.1)"
check_above "sent ones" 20 "$(shown clients.pcapng dst host 198.18.1.1)"
check "five SYNs, five SYN-ACKs" "5 5" "$(shown clients.pcapng 'tcp[13] = 2') $(shown clients.pcapng 'tcp[13] = 18')"
check "checksums are right, lengths whole" "" \
    "$(tcpdump -nn -vv -r "$work/state/capture/clients.pcapng" 2>/dev/null | grep -iE 'incorrect|truncated' | head -n 3)"
check_match "times are now, in nanoseconds" "^$(date +%Y-%m-%d) .*\.[0-9]{9} " \
    "$(tcpdump -nn -tttt --nano -r "$work/state/capture/clients.pcapng" 2>/dev/null | head -n 1)"
check "permissions" 640 "$(stat -c %a "$work/state/capture/clients.pcapng")"

ctl capture start --file few.pcapng --max-packets 7 --snaplen 64 >/dev/null
fetch "$cucm/cucm-uds/1k.bin"
until_true 5 ended
check "seven packets, then it ends by itself" "7 max_packets were captured" \
    "$(shown few.pcapng) $(ctl capture status --json | jq -r .ended)"
ctl capture start --file small.pcapng --max-bytes 20KiB >/dev/null
for _ in 1 2 3 4 5; do
    fetch "$cucm/cucm-uds/1k.bin"
done
until_true 5 ended
check_below "a file of at most 20 KiB" 20481 "$(stat -c %s "$work/state/capture/small.pcapng")"
check_above "that is full" 18000 "$(stat -c %s "$work/state/capture/small.pcapng")"
ctl capture start --file time.pcapng --filter arp --for 1s >/dev/null
until_true 5 ended
check "a second" "the time is over" "$(ctl capture status --json | jq -r .ended)"
check_match "the log tells" "capture ended: the time is over" "$(log_wait 0 'capture ended: the time')"

for bad_filter in "host cucm.steven.lab" "tcp port" "(tcp"; do
    ctl capture start --file never.pcapng --filter "$bad_filter" >"$work/ctl.out" 2>&1
    check "refused: $bad_filter" 1 $?
done
check_match "with the reason" "syntax error|parenthes" "$(cat "$work/ctl.out")"
ctl capture start --file clients.pcapng >"$work/ctl.out" 2>&1
check_match "not over a file that is there" "is there already" "$(cat "$work/ctl.out")"
ctl capture start --file ../assay.yaml >"$work/ctl.out" 2>&1
check_match "not anywhere else" "a name of letters" "$(cat "$work/ctl.out")"
check "nothing of it was made" "" "$(ls "$work/state/capture" | grep never)"

# What the TCP tables hold, while a slow download runs.
head -c 3000000 /dev/urandom >"$work/www/lab/cucm-uds/lab/slow.bin"
lab_exec phone curl -sk --limit-rate 500k --max-time 30 --resolve "$SNI:8443:$LAB_PROXY" -o /dev/null \
    "https://$SNI:8443$cucm/cucm-uds/lab/slow.bin" &
slow=$!
sleep 1.5
ctl connections --json --side client --state established >"$work/clients.json"
check "the download's connection" "1 exchange 8443" "$(jq -r '[.connections[] | select(.phase == "exchange")] | "\(length) \(.[0].phase) \(.[0].local_port)"' "$work/clients.json")"
check_above "with bytes" 100000 "$(jq -r '[.connections[] | select(.phase == "exchange")][0].bytes_out' "$work/clients.json")"
check_above "queues" 0 "$(jq -r '[.connections[] | select(.phase == "exchange")][0].send_queue' "$work/clients.json")"
check_above "and windows" 1400 "$(jq -r '[.connections[] | select(.phase == "exchange")][0].cwnd' "$work/clients.json")"
check_above "its origin's, by address and port" 0 "$(ctl connections --json --address 198.18.2.11 --port 8443 --side origin | jq '.connections | length')"
fetch "$cucm/cucm-uds/1k.bin" -H "Connection: close" # then we close first
check_above "connections that are closed wait in TIME-WAIT" 0 "$(ctl connections --json --state time-wait | jq '.connections | length')"
check "the largest first" true "$(ctl connections --json --sort bytes_out |
    jq '[.connections[].bytes_out] | length > 1 and . == (sort | reverse)')"
check_match "as a table" 'side +local +port +peer ' "$(ctl connections)"
kill "$slow" 2>/dev/null
wait "$slow" 2>/dev/null

# At full speed: what does not fit is counted, the traffic does not notice.
ctl capture start --file full.pcapng --max-bytes 1GiB >/dev/null
lab_exec phone wrk -t 1 -c 8 -d 3s -s "$here/statuses.lua" "https://$LAB_PROXY:8443" -- "$cucm/cucm-uds/1k.bin" >"$work/wrk.out" 2>&1
ctl capture stop --json >"$work/stop.json"
check_above "requests while everything is captured" 100 "$(sed -n 's/^status 200 //p' "$work/wrk.out")"
check "none failed" "" "$(grep -E '^status |Socket' "$work/wrk.out" | grep -v '^status 200 ')"
check "every frame is in the file or counted" "$(jq .matched "$work/stop.json")" "$(jq '.packets + .dropped' "$work/stop.json")"
check "tcpdump reads all of it" "$(jq .packets "$work/stop.json")" "$(shown full.pcapng)"
# One that runs when assayd ends is whole.
ctl capture start --file last.pcapng >/dev/null
fetch "$cucm/cucm-uds/1k.bin"
assay_stop
check_above "the last file is whole" 10 "$(shown last.pcapng)"
e2e_end

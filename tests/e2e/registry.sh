#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# test: timeout=120 parallel
#
# The registry of chains that origins showed: verdicts worked out before a CA is published, dry runs, why a verdict is what it is,
# enforcing after watching, certificates that end soon.
set -uo pipefail
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

e2e_begin registry

# unity's certificate ends in five days
(
    cd "$work/pki" || exit 1
    printf '%s\n' "basicConstraints=critical,CA:FALSE" "subjectAltName=DNS:unity.steven.lab" "authorityKeyIdentifier=keyid" >short.ext
    openssl req -new -key unity.key -subj "/CN=unity.steven.lab" -out short.csr &&
        openssl x509 -req -in short.csr -CA issuing.crt -CAkey issuing.key -set_serial 99999 -days 5 -sha256 -extfile short.ext -out short.crt
    cat short.crt issuing.crt >short.pem
) 2>"$work/short.log" || die "no short-lived certificate: $(tail -n 3 "$work/short.log")"
echo "ssl_certificate $work/pki/short.pem; ssl_certificate_key $work/pki/unity.key;" >"$work/unity-8443.inc"
origins_start
lab_origin modern --listen 198.18.2.16:8443=sni --tls 1.3
allow_list 'https://missing.steven.lab:8443/,1,"GET,POST",prefix,missing' 'https://unity.steven.lab:8443/,1,GET,prefix,unity' \
    'https://cucm.steven.lab:6972/,1,GET,prefix,tomcat'
ASSAY_VERIFY="{mode: permissive}"
assay_config
assay_start

api() { curl -sS --unix-socket "$work/admin.sock" -X "$1" "${@:3}" "http://assayd$2"; }
passes()
{
    fetch "$1"
    check "$2" 200 "$status"
}
missing=$(mra_path missing.steven.lab 8443)/lab/echo
tomcat=$(mra_path cucm.steven.lab 6972)/CSFemusk.cnf.xml
all()
{
    passes "$(mra_path cucm.steven.lab 8443)/cucm-uds/version" "cucm 8443, $1"
    passes "$tomcat" "cucm 6972, $1"
    passes "$missing" "missing, $1"
    passes "$(mra_path unity.steven.lab 8443)/vmrest/version" "unity, $1"
}
known() { [ "$(api GET /v1/registry | jq .count)" = "$1" ]; }
bad_origins() { jq -r '[.failing[] | "\(.host):\(.port)"] | sort | join(" ")'; }
flips() { jq -r '[.flips[] | "\(.host):\(.port) \(.from.effect) -> \(.to.effect)"] | sort | join("; ")'; }
generation() { ctl status --json | jq .generation; }

# --- what was seen ---
all permissive
until_true 5 known 4 || bad "the registry has $(api GET /v1/registry | jq .count) chains, not 4"
check "seen for missing" "missing.steven.lab 8443 198.18.2.16 let pass UNKNOWN_ISSUER 1" \
    "$(api GET '/v1/registry?host=missing.steven.lab' | jq -r '.entries[] | "\(.host) \(.port) \(.address) \(.verdict.effect) \(.verdict.reason) \(.failed.count)"')"
check "its certificate" "CA-signed EC" "$(api GET '/v1/registry?host=missing.steven.lab' | jq -r '.entries[0].certificates[0] | "\(.type) \(.key_type)"')"

# --- why ---
ctl verdicts show missing.steven.lab:8443 >"$work/why.out" || bad "verdicts show"
check_match "why: the path" 'failed path 1, which does not reach trust: unable to get local issuer certificate at depth 0' "$(cat "$work/why.out")"
check_match "why: the decision" 'decision: let pass \(global, verification permissive\)' "$(cat "$work/why.out")"
check_match "why: what to do" 'what to do: trust the CA that issued it' "$(cat "$work/why.out")"
check_match "why: decoded" 'steven.lab Missing CA' "$(cat "$work/why.out")"
check "why, as JSON" "UNKNOWN_ISSUER false" "$(ctl verdicts show --json missing.steven.lab:8443 | jq -r '.chains[0].judgement | "\(.reason) \(.failed_paths[0].reached_trust)"')"
ctl verdicts show nowhere.steven.lab:8443 >"$work/none.out" 2>&1
check "why, of an origin that was not seen" 1 $?

# --- what if ---
before=$(generation)
ctl trust add --dry-run --json "$work/pki/missing-ca.crt" >"$work/if.json"
check "dry run of a CA: exit" 1 $?
check "dry run of a CA" "missing.steven.lab:8443 let pass -> passes" "$(flips <"$work/if.json")"
ctl trust add --dry-run "$work/pki/foreign-root.crt" >"$work/if.out"
check "dry run of a CA that nobody needs: exit" 0 $?
check_match "dry run of a CA that nobody needs" 'of 4 chains of the last 24 hours, 0 would flip' "$(cat "$work/if.out")"
ctl trust remove --dry-run --json "$(cat "$work/pki/root.sha256" 2>/dev/null || openssl x509 -in "$work/pki/root.crt" -noout -fingerprint -sha256 | sed 's/.*=//')" >"$work/if.json"
check "dry run of a removal: exit" 1 $?
check "dry run of a removal" "cucm.steven.lab:8443 passes -> let pass; unity.steven.lab:8443 passes -> let pass" "$(flips <"$work/if.json")"
sed 's/mode: permissive/mode: enforced/' "$work/assay.yaml" >"$work/enforced.yaml"
ctl reload --dry-run --json "$work/enforced.yaml" >"$work/if.json"
check "dry run of a configuration" "cucm.steven.lab:6972 let pass -> refused; missing.steven.lab:8443 let pass -> refused" "$(flips <"$work/if.json")"
sed 's/^verify:.*/verify: {mode: permissive, cn_match: sometimes}/' "$work/assay.yaml" >"$work/wrong.yaml"
ctl reload --dry-run "$work/wrong.yaml" >"$work/if.out" 2>&1
check "dry run of a wrong configuration: exit" 1 $?
check_match "dry run of a wrong configuration" 'cn_match: .*sometimes' "$(cat "$work/if.out")"
check "nothing was published" "$before" "$(generation)"
check "nothing was added" 1 "$(ctl trust list --json | jq '.certificates | length')"

# --- enforce refuses; a CA is added, its verdicts come with it ---
ctl enforce --json >"$work/enforce.json"
check "enforce: exit" 1 $?
check "enforce: what would be refused" "cucm.steven.lab:6972 missing.steven.lab:8443" "$(bad_origins <"$work/enforce.json")"
check "enforce: nothing was changed" permissive "$(ctl status --json | jq -r .verify.mode)"
checks=$(counter verify_checks) found=$(counter verify_precomputed)
ctl trust add "$work/pki/missing-ca.crt" >/dev/null || bad "trust add"
check_match "the log says what was worked out" 'verdicts on 4 known chains: 3 stand, 1 judged, 0 left' "$(grep 'known chains' "$work/assayd.log" | tail -n 1)"
all "after the CA was added"
check "no chain was judged by the core" "$checks" "$(counter verify_checks)"
check_above "verdicts came with the trust" "$found" "$(counter verify_precomputed)"
check "missing passes now" "passes" "$(api GET '/v1/registry?host=missing.steven.lab' | jq -r '.entries[0].verdict.effect')"
ctl enforce --dry-run --json >"$work/enforce.json"
check "enforce --dry-run: exit" 1 $?
check "enforce --dry-run" "cucm.steven.lab:6972" "$(bad_origins <"$work/enforce.json")"
check "what was repaired" "missing.steven.lab" "$(jq -r '.repaired[].host' "$work/enforce.json")"

# --- enforced, by repair and by force ---
ctl trust add "$work/pki/tomcat-ec.crt" >/dev/null || bad "trust add"
ctl enforce >"$work/enforce.out"
check "enforce after repair: exit" 0 $?
check "enforce after repair" enforced "$(ctl status --json | jq -r .verify.mode)"
all enforced
ctl set verify off >/dev/null || bad "set verify off"
ctl trust remove "$(openssl x509 -in "$work/pki/tomcat-ec.crt" -noout -fingerprint -sha256 | sed 's/.*=//')" >/dev/null || bad "trust remove"
ctl enforce >/dev/null
check "enforce again: exit" 1 $?
ctl enforce --force >"$work/enforce.out"
check "enforce --force: exit" 0 $?
fetch "$tomcat"
check "enforce --force: what it said" "502 connect failed" "$status $reason"

# --- certificates that end soon ---
check "one line for it" 1 "$(grep -c 'certificate of an origin unity.steven.lab .*expires in' "$work/assayd.log")"
check_match "and it says when and where" 'WARNING.*certificate of an origin unity\.steven\.lab \(EC P-256, [0-9a-f]{16}, unity\.steven\.lab:8443\) expires in [45] days: it is valid until 20' \
    "$(grep 'certificate of an origin' "$work/assayd.log")"
ctl expiry --days 7 --json >"$work/expiry.json"
check "expiry: exit" 1 $?
check "expiry" "origin unity.steven.lab:8443" "$(jq -r '.certificates[] | "\(.kind) \(.where)"' "$work/expiry.json")"
check "as a number" "1 0" "$(ctl stats --json | jq -r '.total.expiry | "\(.certificates_7_days) \(.certificates_expired)"')"
ctl expiry --days 1 >/dev/null
check "expiry, nothing within a day: exit" 0 $?

# --- a restart ---
assay_stop
assay_start
check "known after a restart" 4 "$(api GET /v1/registry | jq .count)"
check "and its failures" 1 "$(api GET '/v1/registry?host=missing.steven.lab' | jq -r '.entries[0].failed.count')"
e2e_end

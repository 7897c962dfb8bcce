#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify_matrix.sh asks and what must come of it, each line of its own table below.

usage: verify_matrix.py endpoints                 "HOST PORT VERSION SERVER" lines: what is asked, in order
       verify_matrix.py origins                   the configuration's origins: settings that only some of them have
       verify_matrix.py coverage REASON.DEF       is each reason in the table, or among those that verify_matrix.sh does apart?
       verify_matrix.py pass MODE DIR             after a pass in that mode: enforced, permissive, disabled

The last two print "what<TAB>expected<TAB>got" lines. DIR has statuses ("HOST PORT STATUS"), lines (assayd's warnings and errors),
modern.jsonl and older.jsonl (origin.py's records) and stapling.access and stapling.errors (nginx's), each with the number of older
rows in *.mark, before.json and after.json (counters).
"""
import json
import os
import re
import sys
from typing import NamedTuple


class Case(NamedTuple):
    name: str  # of the certificate and, with -rsa behind it, of its twin
    reason: str  # in reason.def
    alert: int = 0  # RFC 8446 6.2
    text: str = ""  # MRA's Error text; none: the name, S27
    depth: int = 0
    policy: str = ""  # of this origin alone
    staple: str = ""  # at nginx; "none": there, without a response
    keys: tuple = ("", "-rsa")
    # The TLS library cannot read the "leaf": where nothing is enforced, it ends the handshake with a line of its own. Or one of
    # the "chain": then it does so in every mode.
    library: str = ""


HARD = "revocation: hard-fail"
CASES = [
    Case("current", "OK"),
    Case("selfsigned", "SELF_SIGNED_LEAF", 48, "self signed certificate"),
    Case("foreign", "SELF_SIGNED_IN_CHAIN", 48, "self signed certificate in certificate chain", 2),
    Case("unknown", "UNKNOWN_ISSUER", 48, "unable to get local issuer certificate", 1),
    Case("missing", "UNKNOWN_ISSUER", 48, "unable to get local issuer certificate"),
    Case("expired", "EXPIRED", 45, "certificate has expired"),
    Case("caexpired", "EXPIRED", 45, "certificate has expired", 1),
    Case("notyet", "NOT_YET_VALID", 45, "certificate is not yet valid"),
    Case("badsig", "BAD_SIGNATURE", 42, "certificate signature failure"),
    Case("version2", "MALFORMED", 42, "unable to decode the certificate", library="leaf"),
    Case("longserial", "MALFORMED", 42, "unable to decode the certificate"),
    Case("curve", "MALFORMED", 42, "unable to decode the certificate", 1, library="chain"),
    Case("notca", "NOT_A_CA", 48, "invalid CA certificate", 1),
    Case("version1", "NOT_A_CA", 48, "invalid CA certificate", 1),
    Case("pathlen", "PATH_LENGTH", 48, "path length constraint exceeded", 2),
    Case("cakeyusage", "CA_KEY_USAGE", 48, "key usage does not include certificate signing", 1),
    Case("purpose", "PURPOSE", 43, "unsupported certificate purpose"),
    Case("capurpose", "PURPOSE", 43, "unsupported certificate purpose", 1),
    Case("constraint", "NAME_CONSTRAINT_PERMITTED", 42, "permitted subtree violation"),
    Case("excluded", "NAME_CONSTRAINT_EXCLUDED", 42, "excluded subtree violation"),
    Case("constrained", "NAME_CONSTRAINT_UNSUPPORTED", 42, "unsupported name constraint type"),
    Case("critical", "UNKNOWN_CRITICAL_EXTENSION", 43, "unhandled critical extension"),
    Case("sha224", "UNSUPPORTED_ALGORITHM", 43, "unsupported signature algorithm"),
    Case("md5", "WEAK_DIGEST", 42, "CA signature digest algorithm too weak"),
    Case("sha1", "WEAK_DIGEST", 42, "CA signature digest algorithm too weak", policy="sha1: off"),
    Case("smallca", "WEAK_KEY", 42, "EE certificate key too weak", 1, policy="rsa_bits_min: 2048"),
    Case("smallleaf", "WEAK_KEY", 42, "EE certificate key too weak", policy="rsa_bits_min: 2048", keys=("-rsa",)),
    Case("depth", "CHAIN_TOO_LONG", 48, "certificate chain too long", 1, policy="depth_max: 0"),
    Case("worklimit", "WORK_LIMIT", 46, "path building work limit exceeded", 1, policy="work_max: 8"),
    Case("revoked", "REVOKED", 44, "certificate revoked"),
    Case("carevoked", "REVOKED", 44, "certificate revoked", 1),
    Case("staplerevoked", "REVOKED", 44, "certificate revoked", staple="staplerevoked"),
    Case("nocrl", "NO_CRL", 46, "unable to get certificate CRL", policy=HARD),
    Case("crlexpired", "CRL_EXPIRED", 46, "CRL has expired", policy=HARD),
    Case("stapled", "OK", policy=HARD, staple="stapled"),
    Case("staplewrong", "OCSP_FAILED", 113, "OCSP verification failed", policy=HARD, staple="staplewrong"),
    Case("stapleunknown", "OCSP_UNKNOWN", 46, "OCSP unknown cert", policy=HARD, staple="stapleunknown"),
    Case("unstapled", "OCSP_NEEDED", 113, "OCSP verification needed", staple="none"),
    Case("anymapped", "INVALID_POLICY", 42, "invalid or inconsistent certificate policy extension", 1),
    Case("nopolicy", "NO_POLICY", 42, "no explicit policy"),
    Case("webpki", "PROFILE", 42, "certificate breaks a rule of the verification profile", policy="profile: webpki"),
    Case("rfc5280", "PROFILE", 42, "certificate breaks a rule of the verification profile", policy="profile: rfc5280"),
    Case("pinned", "PIN_MISMATCH", 46, "no pinned public key in certificate chain", policy="pins: " + "0123456789abcdef" * 4),
    Case("impostor", "NAME_MISMATCH", 42),
]
# What verify_matrix.sh does apart from the table, and why: the lines of it are there.
APART = {
    "NO_CERTIFICATE": "there are no two keys of no certificate, and no server but no_certificate.py, of TLS 1.2, that shows none",
}
ALERTS = {
    42: "sslv3_alert_bad_certificate",
    43: "sslv3_alert_unsupported_certificate",
    44: "sslv3_alert_certificate_revoked",
    45: "sslv3_alert_certificate_expired",
    46: "sslv3_alert_certificate_unknown",
    48: "tlsv1_alert_unknown_ca",
    113: "tlsv1_bad_certificate_status_response",
}
PREFIX = re.compile(r"^\S+ \S+ traffic_server\[\d+\]: \[ET_NET 0\] ")


class Endpoint(NamedTuple):
    host: str
    port: int
    version: str
    case: Case

    @property
    def address(self):
        return "198.18.2.17" if self.case.staple else "198.18.2.16"


def endpoints():
    """nginx names no host in the line of a failed handshake: there each has a port of its own."""
    out, port = [], 20000
    for case in CASES:
        for key in case.keys:
            host = f"{case.name}{key}.steven.lab"
            for fixed, version in ((8443, "TLSv1.3"), (9443, "TLSv1.2")):
                port += bool(case.staple)
                out.append(Endpoint(host, port if case.staple else fixed, version, case))
    return out


def lines_for(endpoint, action):
    """MRA S26 or S27, and S28 where the connection ends."""
    case, host = endpoint.case, endpoint.host
    if case.reason == "OK":
        return []
    server = f"server={host}({endpoint.address})"
    if case.library == "chain" or (case.library and action != "Terminate"):
        return [f"ERROR: SSL connection failed for '{host}': error:1416F00D:SSL routines:tls_process_server_certificate:"
                "malformed certificate or no proof of its key"]
    if not case.text:
        out = [f"WARNING: SNI ({host}) not in certificate. Action={action} {server}"]
    else:
        out = [f"WARNING: Core server certificate verification failed for ({host}). Action={action} Error={case.text} {server} depth={case.depth}"]
    if action == "Terminate":
        out.append(f"ERROR: SSL connection failed for '{host}': error:1416F086:SSL routines:"
                   "tls_process_server_certificate:certificate verify failed")
    return out


def new_lines(folder, name):
    with open(os.path.join(folder, name + ".mark"), encoding="ascii") as mark:
        skip = int(mark.read())
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return list(file)[skip:]


def seen_by_origins(folder):
    """(host, port): the connections there, "ok" or the alert, and bytes of requests."""
    out = {}
    for name, port in (("modern.jsonl", 8443), ("older.jsonl", 9443)):
        for row in map(json.loads, new_lines(folder, name)):
            out.setdefault((row["sni"], port), []).append((f"{row['handshake']} {row['alert'] or 'no alert'}", row["request_bytes"]))
    hosts = {endpoint.port: endpoint.host for endpoint in endpoints() if endpoint.case.staple}
    for line in new_lines(folder, "stapling.errors"):
        alert = re.search(r"SSL alert number (\d+)\) while SSL handshaking, client: \S+, server: 198\.18\.2\.17:(\d+)", line)
        if alert:
            port = int(alert[2])
            out.setdefault((hosts[port], port), []).append((f"failed {ALERTS.get(int(alert[1]), alert[1])}", 0))
    for line in new_lines(folder, "stapling.access"):
        port, sni, size = line.split()
        out.setdefault((sni, int(port)), []).append(("ok no alert", int(size)))
    return out


def judge_pass(mode, folder):
    with open(os.path.join(folder, "lines"), encoding="utf-8") as log:
        lines = [PREFIX.sub("", line.rstrip("\n")) for line in log]
    with open(os.path.join(folder, "statuses"), encoding="ascii") as file:
        statuses = [line.split() for line in file]
    seen = seen_by_origins(folder)
    expected_lines, refused, names, revoked = [], 0, 0, 0
    for endpoint, (host, port, status) in zip(endpoints(), statuses, strict=True):
        assert (host, int(port)) == endpoint[:2]
        case = endpoint.case
        bad = case.reason != "OK"
        # One connection each; a refused one carried the alert and no byte of a request.
        if bad and (mode == "enforced" or case.library):
            want = f"502; 1 failed {ALERTS[case.alert]}, no byte of a request"
        else:
            want = "200; 1 ok no alert, a request"
        mine = seen.get((host, endpoint.port), [])
        got = f"{status}; {len(mine)} " + " ".join(word for word, _ in mine)
        got += ", a request" if sum(size for _, size in mine) > 0 else ", no byte of a request"
        print(f"{host}, {endpoint.version}: {case.reason}\t{want}\t{got}")
        refused += bad and (not case.library or (case.library == "leaf" and mode == "enforced"))
        names += case.reason == "NAME_MISMATCH"
        revoked += case.reason == "REVOKED"
        if mode != "disabled" or case.library:
            expected_lines += lines_for(endpoint, "Terminate" if mode == "enforced" else "Continue")
    missing = sorted(expected_lines)
    for line in lines:
        if line in missing:
            missing.remove(line)
        else:
            print(f"a line nobody asked for\t\t{line}")
    for line in missing:
        print(f"a line that is missing\t{line}\t")
    print(f"lines S26 to S28, each once\t{len(expected_lines)}\t{len(lines)}")
    with open(os.path.join(folder, "before.json"), encoding="ascii") as before, open(os.path.join(folder, "after.json"), encoding="ascii") as after:
        was, now = json.load(before), json.load(after)
    enforced = mode == "enforced"
    counted = {
        "verify_failed": refused if enforced else 0,
        "verify_failed_chain": refused - names if enforced else 0,
        "verify_failed_name": names if enforced else 0,
        "verify_failed_revoked": revoked if enforced else 0,
        "verify_continued": refused if mode == "permissive" else 0,
    }
    if enforced:  # later passes resume sessions, which bring no response
        counted["staples"] = sum(endpoint.case.staple not in ("", "none") for endpoint in endpoints())
    for name, value in counted.items():
        print(f"{name}\t{value}\t{now[name] - was[name]}")


def coverage(path):
    with open(path, encoding="utf-8") as file:
        known = {name: (int(alert), text) for name, alert, text in re.findall(r'^X509_REASON\((\w+), (\d+), "(.*)"\)$', file.read(), re.M)}
    for name in known:
        cases = [case for case in CASES if case.reason == name]
        got = "in the matrix" if cases else "apart" if name in APART else "nowhere"
        print(f"{name}\t{'apart' if name in APART else 'in the matrix'}\t{got}")
    print(f"other names in the table\t\t{' '.join(sorted((set(APART) | {case.reason for case in CASES}) - set(known)))}")
    # What the table says of a reason is about that reason, and no other.
    for case in CASES:
        want = (0, "") if case.reason == "OK" else known.get(case.reason, (None, None))
        if case.reason == "NAME_MISMATCH":
            want = (want[0], "")
        if (case.alert, case.text) != want:
            print(f"{case.name}: alert and text of {case.reason}\t{want}\t{(case.alert, case.text)}")


def main():
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "endpoints":
        for endpoint in endpoints():
            print(endpoint.host, endpoint.port, endpoint.version, endpoint.address, endpoint.case.staple or "-")
    elif what == "origins":
        for case in CASES:
            if case.policy:
                hosts = ", ".join(f"{case.name}{key}.steven.lab" for key in case.keys)
                print(f"  - {{hosts: [{hosts}], verify: {{{case.policy}}}}}")
    elif what == "coverage":
        coverage(*arguments)
    else:
        judge_pass(*arguments)


main()

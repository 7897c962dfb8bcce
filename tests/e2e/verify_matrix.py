#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one pass of verify_matrix.sh should have left behind, beside what it did: "what<TAB>expected<TAB>got" lines.

usage: verify_matrix.py enforced|permissive|disabled DIR

DIR has statuses ("HOST PORT STATUS"), lines (assayd's warnings and errors), modern.jsonl and older.jsonl (origin.py's records) with
the number of older rows in *.mark, before.json and after.json (counters).
"""
import json
import os
import re
import sys

# Name: alert (OpenSSL's word for it at the origin), MRA's Error text (None: the name, S27), depth.
REASONS = {
    "selfsigned": ("tlsv1_alert_unknown_ca", "self signed certificate", "0"),
    "unknown": ("tlsv1_alert_unknown_ca", "unable to get local issuer certificate", "1"),
    "foreign": ("tlsv1_alert_unknown_ca", "self signed certificate in certificate chain", "2"),
    "missing": ("tlsv1_alert_unknown_ca", "unable to get local issuer certificate", "0"),
    "expired": ("sslv3_alert_certificate_expired", "certificate has expired", "0"),
    "notyet": ("sslv3_alert_certificate_expired", "certificate is not yet valid", "0"),
    "badsig": ("sslv3_alert_bad_certificate", "certificate signature failure", "0"),
    "purpose": ("sslv3_alert_unsupported_certificate", "unsupported certificate purpose", "0"),
    "critical": ("sslv3_alert_unsupported_certificate", "unhandled critical extension", "0"),
    "constraint": ("sslv3_alert_bad_certificate", "permitted subtree violation", "0"),
    "pathlen": ("tlsv1_alert_unknown_ca", "path length constraint exceeded", "2"),
    "notca": ("tlsv1_alert_unknown_ca", "invalid CA certificate", "1"),
    "revoked": ("sslv3_alert_certificate_revoked", "certificate revoked", "0"),
    "impostor": ("sslv3_alert_bad_certificate", None, None),
    "current": (None, None, None),  # the one that is good
}
PREFIX = re.compile(r"^\S+ \S+ traffic_server\[\d+\]: \[ET_NET 0\] ")


def lines_for(host, reason, action):
    """MRA S26 or S27, and S28 where the connection ends."""
    alert, text, depth = reason
    if alert is None:
        return []
    server = f"server={host}(198.18.2.16)"
    if text is None:
        out = [f"WARNING: SNI ({host}) not in certificate. Action={action} {server}"]
    else:
        out = [f"WARNING: Core server certificate verification failed for ({host}). Action={action} Error={text} {server} depth={depth}"]
    if action == "Terminate":
        out.append(f"ERROR: SSL connection failed for '{host}': error:1416F086:SSL routines:"
                   "tls_process_server_certificate:certificate verify failed")
    return out


def rows(folder, name):
    with open(os.path.join(folder, name + ".mark"), encoding="ascii") as mark:
        skip = int(mark.read())
    with open(os.path.join(folder, name + ".jsonl"), encoding="utf-8") as record:
        return [json.loads(line) for line in record][skip:]


def main():
    mode, folder = sys.argv[1:]
    with open(os.path.join(folder, "lines"), encoding="utf-8") as log:
        lines = [PREFIX.sub("", line.rstrip("\n")) for line in log]
    seen = {"8443": rows(folder, "modern"), "9443": rows(folder, "older")}
    with open(os.path.join(folder, "statuses"), encoding="ascii") as statuses:
        wanted = [line.split() for line in statuses]
    expected_lines, refused, names = [], 0, 0
    for host, port, status in wanted:
        reason = REASONS[host.split(".")[0].removesuffix("-rsa")]
        bad = reason[0] is not None
        version = "TLS 1.3" if port == "8443" else "TLS 1.2"
        mine = [row for row in seen[port] if row["sni"] == host]
        # One connection each; a refused one carried the alert and no byte of a request.
        if bad and mode == "enforced":
            want = f"502; 1 failed {reason[0]}, no byte of a request"
        else:
            want = "200; 1 ok no alert, a request"
        asked = sum(row["request_bytes"] for row in mine)
        got = f"{status}; {len(mine)} " + " ".join(f"{row['handshake']} {row['alert'] or 'no alert'}" for row in mine)
        got += ", a request" if asked > 0 else ", no byte of a request"
        print(f"{host}, {version}\t{want}\t{got}")
        if bad:
            refused += 1
            names += reason[1] is None
        if mode != "disabled":
            expected_lines += lines_for(host, reason, "Terminate" if mode == "enforced" else "Continue")
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
    counted = {
        "verify_failed": refused if mode == "enforced" else 0,
        "verify_failed_chain": refused - names if mode == "enforced" else 0,
        "verify_failed_name": names if mode == "enforced" else 0,
        "verify_continued": refused if mode == "permissive" else 0,
    }
    for name, value in counted.items():
        print(f"{name}\t{value}\t{now[name] - was[name]}")


main()

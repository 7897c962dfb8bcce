#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes the certificates of the lab in a folder: pki.sh DIR
#
#   steven.lab Root CA (RSA) ─ steven.lab Issuing CA (RSA) ─┬ cucm-sha256, cucm-sha1, cucm-ecdsa, cucm-ip   CN cucm-ms.steven.lab
#     root.pem                 issuing.pem                  ├ imp, unity, impostor (for printer.steven.lab)
#                                                           ├ expired, notyet, badsig, purpose, notca-issuer ─ notca, weakkey, critical
#                                                           ├ steven.lab Deep CA (has no right to be: pathLen 0) ─ pathlen
#                                                           └ edge-client (assayd's own, toward origins)
#   steven.lab Root CA ─ steven.lab Missing CA ─ missing (sends its leaf alone)      ─ steven.lab Narrow CA ─ constraint
#   Foreign Root CA ─ Foreign Issuing CA ─ unknown, foreign (root sent along)         nobody trusts it
#   Edge Root CA (ECDSA) ─ edge                                                      what phones trust
#   self-signed, ECDSA, one CN and two keys (CSCwa12905): tomcat-ec, callmanager-ec
#
# NAME.pem holds what a server sends, leaf first; NAME.key its key; NAME.crt the leaf alone. NAME.sha256 is the leaf's fingerprint.
# Writes nothing outside DIR. Needs openssl 3 and python3. Takes about two seconds.
set -euo pipefail

[ $# = 1 ] || { echo "usage: pki.sh DIR" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
exec 3>&2 2>pki.log
rc=0
trap 'rc=$?; [ $rc = 0 ] || { echo "pki.sh failed:"; tail -n 5 pki.log; } >&3' EXIT

serial=4096
rsa() { openssl genrsa -out "$1.key" "${2:-2048}"; }
ec() { openssl ecparam -genkey -noout -name prime256v1 -out "$1.key"; }

# name_of CN: the subject, as an analyst of the vendor's product is used to see it
name_of() { echo "/C=BE/O=Steven Lab/OU=UC/CN=$1"; }

# request NAME CN EXTENSION-LINES...: a certificate request and its extensions
request()
{
    local name=$1 cn=$2
    shift 2
    openssl req -new -key "$name.key" -subj "$(name_of "$cn")" -out "$name.csr"
    printf '%s\n' "subjectKeyIdentifier=hash" "$@" >"$name.ext"
}

# issue NAME ISSUER [DIGEST]: signs NAME.csr; the validity is 2 years from now
issue()
{
    serial=$((serial + 1))
    { cat "$1.ext"; echo "authorityKeyIdentifier=keyid"; } >"$1.full"
    openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -set_serial "$serial" -days 730 "-${3:-sha256}" -extfile "$1.full" -out "$1.crt"
}

# issue_between NAME ISSUER FROM TO: the same with times (YYYYMMDDHHMMSSZ), which only `openssl ca` can set
issue_between()
{
    serial=$((serial + 1))
    { cat "$1.ext"; echo "authorityKeyIdentifier=keyid"; } >"$1.full"
    rm -rf ca.db && mkdir ca.db && : >ca.db/index && printf '%x\n' "$serial" >ca.db/serial
    cat >ca.cnf <<CNF
[ca]
default_ca = a
[a]
database = ca.db/index
serial = ca.db/serial
new_certs_dir = ca.db
default_md = sha256
policy = any
unique_subject = no
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = supplied
CNF
    openssl ca -batch -notext -config ca.cnf -in "$1.csr" -cert "$2.crt" -keyfile "$2.key" -startdate "$3" -enddate "$4" -extfile "$1.full" -out "$1.crt"
}

# self NAME DAYS: a self-signed certificate
self()
{
    serial=$((serial + 1))
    openssl x509 -req -in "$1.csr" -signkey "$1.key" -set_serial "$serial" -days "$2" -sha256 -extfile "$1.ext" -out "$1.crt"
}

# bundle NAME MORE...: what the server sends
bundle()
{
    local name=$1 more
    shift
    cp "$name.crt" "$name.pem"
    for more in "$@"; do
        cat "$more.crt" >>"$name.pem"
    done
}

ca="basicConstraints=critical,CA:TRUE"
ca_usage="keyUsage=critical,keyCertSign,cRLSign"
leaf="basicConstraints=critical,CA:FALSE"
usage="keyUsage=critical,digitalSignature,keyEncipherment"
purpose="extendedKeyUsage=serverAuth,clientAuth"
ec_usage="keyUsage=critical,digitalSignature"
cucm_names="DNS:cucm.steven.lab,DNS:cucm-sub.steven.lab,DNS:cucm-ms.steven.lab,DNS:steven.lab"

# --- authorities ---
rsa root; request root "steven.lab Root CA" "$ca" "$ca_usage"; self root 7300; bundle root
rsa issuing; request issuing "steven.lab Issuing CA" "$ca,pathlen:0" "$ca_usage"; issue issuing root; bundle issuing
ec missing-ca; request missing-ca "steven.lab Missing CA" "$ca,pathlen:0" "$ca_usage"; issue missing-ca root; bundle missing-ca
ec narrow-ca; request narrow-ca "steven.lab Narrow CA" "$ca,pathlen:0" "$ca_usage" "nameConstraints=critical,permitted;DNS:branch.steven.lab"
    issue narrow-ca root; bundle narrow-ca
ec deep-ca; request deep-ca "steven.lab Deep CA" "$ca" "$ca_usage"; issue deep-ca issuing; bundle deep-ca
ec foreign-root; request foreign-root "Foreign Root CA" "$ca" "$ca_usage"; self foreign-root 7300; bundle foreign-root
ec foreign-ca; request foreign-ca "Foreign Issuing CA" "$ca,pathlen:0" "$ca_usage"; issue foreign-ca foreign-root; bundle foreign-ca
ec edge-root; request edge-root "Edge Root CA" "$ca" "$ca_usage"; self edge-root 7300; bundle edge-root

# --- the edge's own: toward phones, and toward origins ---
ec edge; request edge vcs_control.steven.lab "$leaf" "$ec_usage" "$purpose" "subjectAltName=DNS:vcs_control.steven.lab,DNS:edge.steven.lab"
    issue edge edge-root; bundle edge
ec edge-client; request edge-client vcs_control.steven.lab "$leaf" "$ec_usage" "$purpose" "subjectAltName=DNS:vcs_control.steven.lab"
    issue edge-client issuing; bundle edge-client issuing

# --- CUCM: one key, several certificates of it; an ECDSA one beside ---
rsa cucm-sha256
cp cucm-sha256.key cucm-sha1.key; cp cucm-sha256.key cucm-ip.key
request cucm-sha256 cucm-ms.steven.lab "$leaf" "$usage" "$purpose" "subjectAltName=$cucm_names"; issue cucm-sha256 issuing; bundle cucm-sha256 issuing
request cucm-sha1 cucm-ms.steven.lab "$leaf" "$usage" "$purpose" "subjectAltName=$cucm_names"; issue cucm-sha1 issuing sha1; bundle cucm-sha1 issuing
request cucm-ip cucm-ms.steven.lab "$leaf" "$usage" "$purpose" "subjectAltName=$cucm_names,IP:198.18.2.11"; issue cucm-ip issuing; bundle cucm-ip issuing
ec cucm-ecdsa; request cucm-ecdsa cucm-ms.steven.lab "$leaf" "$ec_usage" "$purpose" "subjectAltName=$cucm_names"; issue cucm-ecdsa issuing
    bundle cucm-ecdsa issuing

# CUCM's self-signed pair: it marks CallManager's as its own authority, tomcat's not.
self_usage="keyUsage=digitalSignature,keyEncipherment,dataEncipherment,keyAgreement,keyCertSign"
ec tomcat-ec; request tomcat-ec cucm-EC.steven.lab "$self_usage" "$purpose" "subjectAltName=DNS:cucm.steven.lab"; self tomcat-ec 1825; bundle tomcat-ec
ec callmanager-ec; request callmanager-ec cucm-EC.steven.lab "$ca,pathlen:0" "$self_usage" "$purpose" "subjectAltName=DNS:cucm.steven.lab"
    self callmanager-ec 1460; bundle callmanager-ec

# --- the other nodes ---
rsa imp; request imp imp.steven.lab "$leaf" "$usage" "$purpose" "subjectAltName=DNS:imp.steven.lab"; issue imp issuing; bundle imp issuing
ec unity; request unity unity.steven.lab "$leaf" "$ec_usage" "$purpose" "subjectAltName=DNS:unity.steven.lab"; issue unity issuing; bundle unity issuing

# --- what must be refused ---
ec impostor; request impostor printer.steven.lab "$leaf" "$ec_usage" "$purpose" "subjectAltName=DNS:printer.steven.lab"; issue impostor issuing; bundle impostor issuing
bad_leaf() # NAME EXTENSION...
{
    local name=$1
    shift
    ec "$name"
    request "$name" "$name.steven.lab" "subjectAltName=DNS:$name.steven.lab" "$@"
}
bad_leaf unknown "$leaf" "$ec_usage" "$purpose"; issue unknown foreign-ca; bundle unknown foreign-ca
bad_leaf foreign "$leaf" "$ec_usage" "$purpose"; issue foreign foreign-ca; bundle foreign foreign-ca foreign-root
bad_leaf missing "$leaf" "$ec_usage" "$purpose"; issue missing missing-ca; bundle missing
bad_leaf expired "$leaf" "$ec_usage" "$purpose"; issue_between expired issuing 20200101000000Z 20210101000000Z; bundle expired issuing
bad_leaf notyet "$leaf" "$ec_usage" "$purpose"; issue_between notyet issuing 20480101000000Z 20490101000000Z; bundle notyet issuing
bad_leaf purpose "$leaf" "$ec_usage" "extendedKeyUsage=clientAuth"; issue purpose issuing; bundle purpose issuing
bad_leaf critical "$leaf" "$ec_usage" "$purpose" "1.3.6.1.4.1.55555.1=critical,ASN1:UTF8String:unknown"; issue critical issuing; bundle critical issuing
bad_leaf constraint "$leaf" "$ec_usage" "$purpose"; issue constraint narrow-ca; bundle constraint narrow-ca
bad_leaf pathlen "$leaf" "$ec_usage" "$purpose"; issue pathlen deep-ca; bundle pathlen deep-ca issuing
ec notca-issuer; request notca-issuer "not an authority" "$leaf" "$ec_usage" "$purpose"; issue notca-issuer issuing
bad_leaf notca "$leaf" "$ec_usage" "$purpose"; issue notca notca-issuer; bundle notca notca-issuer issuing
rsa weakkey 1024; request weakkey weakkey.steven.lab "$leaf" "$usage" "$purpose" "subjectAltName=DNS:weakkey.steven.lab"; issue weakkey issuing; bundle weakkey issuing
bad_leaf selfsigned "$ec_usage" "$purpose"; self selfsigned 365; bundle selfsigned
bad_leaf badsig "$leaf" "$ec_usage" "$purpose"; issue badsig issuing
# The last byte of the signature, changed.
openssl x509 -in badsig.crt -outform DER -out badsig.der
python3 -c 'd = bytearray(open("badsig.der", "rb").read()); d[-1] ^= 1; open("badsig.der", "wb").write(d)'
openssl x509 -in badsig.der -inform DER -out badsig.crt
bundle badsig issuing

for crt in *.crt; do
    openssl x509 -in "$crt" -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr 'A-F' 'a-f' >"${crt%.crt}.sha256"
done
rm -rf ca.db ca.cnf ./*.csr ./*.ext ./*.full ./*.der
# Origins give up their privileges before they read these.
chmod 644 ./*.key

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# How the certificates of the lab are made: sourced by make-pki and make-faults, in the folder they go to. NAME.key is a key,
# NAME.crt its certificate, NAME.pem what a server sends. The caller sets serial: a number that none of its certificates has yet.

# shellcheck disable=SC2034 # what is set here is for the scripts that source this
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

# crl NAME ISSUER DAYS [LEAF...]: a revocation list for so many days (negative: over by then), with those leaves on it
crl()
{
    local name=$1 issuer=$2 days=$3 crt
    shift 3
    rm -rf ca.db && mkdir ca.db && : >ca.db/index && echo 01 >ca.db/number
    for crt in "$@"; do
        printf 'R\t480101000000Z\t%s,keyCompromise\t%s\tunknown\t/CN=%s\n' "$(date -u +%y%m%d%H%M%SZ)" \
            "$(openssl x509 -in "$crt.crt" -noout -serial | sed 's/.*=//')" "$crt" >>ca.db/index
    done
    printf '%s\n' '[ca]' 'default_ca = a' '[a]' 'database = ca.db/index' 'crlnumber = ca.db/number' 'default_md = sha256' >ca.cnf
    openssl ca -gencrl -config ca.cnf -cert "$issuer.crt" -keyfile "$issuer.key" -crl_lastupdate "$(date -u -d '-60 days' +%y%m%d%H%M%SZ)" \
        -crl_nextupdate "$(date -u -d "$days days" +%y%m%d%H%M%SZ)" -out "$name.crl"
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

# Two of each: NAME of an ECDSA key, NAME-rsa of the RSA key twin, which they share.
# both COMMAND NAME ARGUMENTS...
both()
{
    local command=$1 name=$2
    shift 2
    "$command" "$name" "$@"
    "$command" "$name-rsa" "$@"
}
twin_keys() { ec "$1"; cp twin.key "$1-rsa.key"; }
bad_leaf() # NAME EXTENSION...
{
    local name=$1 host
    shift
    twin_keys "$name"
    for host in "$name" "$name-rsa"; do
        request "$host" "$host.steven.lab" "subjectAltName=DNS:$host.steven.lab" "$@"
    done
}

# The last byte of the signature, changed.
spoil()
{
    openssl x509 -in "$1.crt" -outform DER -out "$1.der"
    python3 - "$1.der" <<'PY'
import sys
d = bytearray(open(sys.argv[1], "rb").read())
d[-1] ^= 1
open(sys.argv[1], "wb").write(d)
PY
    openssl x509 -in "$1.der" -inform DER -out "$1.crt"
}

pki_end()
{
    rm -rf ca.db ca.cnf ./*.csr ./*.ext ./*.full ./*.der
    # Origins give up their privileges before they read these.
    chmod 644 ./*.key
}

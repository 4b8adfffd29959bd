#!/usr/bin/env bash
# fetch-asterisk.sh SUITE FOLDER
#
# Fetches the Asterisk of a Debian suite with the libraries it needs, and unpacks it into FOLDER: nothing is installed,
# no root is needed, and apt's own state is not touched (lists, status and cache are in a scratch folder). FOLDER appears
# only when it is complete. Exit code 3: the mirror could not be reached, or does not have it (say so and skip).
set -euo pipefail
suite=$1
folder=$(realpath -m "$2")

unreachable() { echo "fetch-asterisk: $*" >&2; exit 3; }
for tool in apt-get dpkg dpkg-deb; do
    command -v "$tool" >/dev/null || unreachable "no $tool here: packages of Debian can only be fetched on Debian"
done

mirror=${RINGBACK_DEBIAN_MIRROR:-$(
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        grep -v '^#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true
)}
mirror=${mirror%/}
mirror=${mirror:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keys" ] || unreachable "no $keys: the packages could not be verified"

mkdir -p "$(dirname "$folder")"
scratch=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{lists/partial,cache/archives/partial,debs,tree}
: >"$scratch/status"
echo "deb [signed-by=$keys] $mirror $suite main" >"$scratch/sources.list"
if [ "$suite" = bullseye ]; then
    echo "deb [signed-by=$keys] $mirror-security $suite-security main" >>"$scratch/sources.list"
fi
cat >"$scratch/apt.conf" <<EOF
Dir::State::lists "$scratch/lists";
Dir::State::status "$scratch/status";
Dir::Etc::sourcelist "$scratch/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Cache "$scratch/cache";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
APT::Sandbox::User "";
APT::Install-Recommends "false";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
EOF
export APT_CONFIG=$scratch/apt.conf
apt-get -qq update || unreachable "no lists of $suite from $mirror"

# Of all that the package depends on, only what its processes load with our modules.conf.
wanted='^(asterisk|asterisk-modules|asterisk-config|asterisk-core-sounds-en-gsm|zlib1g|libc6|lib(bsd|cap|crypt|edit|gcc-s|gcrypt|gpg-error|gsm|icu|jansson|lz4-|lzma|md|sqlite3-|ssl|stdc\+\+|systemd|tinfo|uriparser|uuid|xml2|xslt|zstd)[0-9.-]*(t64)?)$'
packages=$(
    apt-get -qq --print-uris install asterisk asterisk-core-sounds-en-gsm |
        cut -d' ' -f2 | cut -d_ -f1 | grep -E "$wanted" | sort -u
) || unreachable "$suite has no asterisk that could be installed"
# shellcheck disable=SC2086 # a list of names
(cd "$scratch/debs" && apt-get -qq download $packages) || unreachable "not all packages of $suite from $mirror"

tree=$scratch/tree
for package in "$scratch"/debs/*.deb; do
    dpkg-deb -x "$package" "$tree"
done
ln -sfn en_US_f_Allison "$tree/usr/share/asterisk/sounds/en"
# The libraries are newer or older than this machine's: its own loader runs it.
triplet=$(dirname "$(cd "$tree" && find . -path '*/lib*/ld-linux*.so.*' -name 'ld-linux*' | grep -E 'linux-gnu' | head -n 1)")
cat >"$tree/asterisk" <<EOF
#!/bin/sh
here=\$(dirname "\$(realpath "\$0")")
libraries=\$here/${triplet#./}:\$here/usr/${triplet#./usr/}:\$here/lib/$(basename "$triplet"):\$here/usr/lib
exec "\$here/${triplet#./}"/ld-linux*.so.* --library-path "\$libraries" "\$here/usr/sbin/asterisk" "\$@"
EOF
chmod +x "$tree/asterisk"
"$tree/asterisk" -V >"$tree/version"
cat "$tree/version"
# Whoever else fetched it meanwhile has the same.
mv -T "$tree" "$folder" 2>/dev/null || [ -x "$folder/asterisk" ]

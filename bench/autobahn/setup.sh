#!/usr/bin/env bash
# Installs the original Autobahn suite, unchanged, into the folder $1, where it is not there already.
#
# It is Python 2.7: that comes from Debian 11 and is unpacked in the folder, beside the system, never installed. So it
# needs Debian with its archive's keys, a compiler, and Python 3 with venv; it takes about a minute.
set -euo pipefail
VERSION=25.10.1
folder=$(realpath "$1")
[[ -f $folder/done ]] && [[ $(<"$folder/done") == "$VERSION" ]] && exit

rm -rf "$folder"
mkdir -p "$folder"/apt/{lists/partial,cache/archives/partial} "$folder"/{debs,system}
cd "$folder"

# The mirror that this machine uses already.
mirror=$(apt-cache policy | grep -oE 'https?://[^ ]+/debian ' | head -n 1)
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] $mirror bullseye main" > apt/sources.list
cp /var/lib/dpkg/status apt/status
apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$folder/apt/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$folder/apt/lists" -o Dir::Cache="$folder/apt/cache" \
        -o Dir::State::status="$folder/apt/status" "$@"
}
apt update
(cd debs && apt download python2.7 python2.7-minimal libpython2.7 libpython2.7-minimal libpython2.7-stdlib \
    python2.7-dev libpython2.7-dev libffi7 libssl1.1)
for package in debs/*.deb; do dpkg-deb -x "$package" system; done

# The last virtualenv that makes environments of Python 2.7.
python3 -m venv maker
maker/bin/pip install --quiet virtualenv==20.21.1
machine=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
export LD_LIBRARY_PATH=$folder/system/usr/lib/$machine
maker/bin/virtualenv --quiet --no-download --python system/usr/bin/python2.7 suite
C_INCLUDE_PATH=$folder/system/usr/include/python2.7:$folder/system/usr/include \
    suite/bin/pip install --quiet "autobahntestsuite==$VERSION"

# How it is started: with the libraries of its time.
cat > python <<END
#!/bin/sh
LD_LIBRARY_PATH=$LD_LIBRARY_PATH exec $folder/suite/bin/python "\$@"
END
chmod +x python
./python -c 'import autobahntestsuite.wstest'
rm -rf apt debs
echo "$VERSION" > done

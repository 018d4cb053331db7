#!/bin/sh
# Puts the certificate of one installation of Constat among those that the apps of a
# rooted Android phone or emulator trust, over adb, until the phone restarts.
#
#     sh constat-adb.sh up        put it in
#     sh constat-adb.sh status    say whether it is in: 0 yes, 3 not (everywhere)
#     sh constat-adb.sh down      take it out
#
# It needs adb, and root on the phone: an emulator whose image is not one of "Google
# Play" (adb root), or a phone with Magisk or KernelSU (su; allow it when asked).
# With several phones, name one: ANDROID_SERIAL=… sh constat-adb.sh up
#
# Nothing is written to the phone's system. The second script below, which runs on the
# phone, says what it does on Android 7 to 13, and what on 14 and later. Files:
# /data/local/tmp/constat-ca, removed by "down".
set -u

ADB=${ADB:-adb}
FOLDER=/data/local/tmp/constat-ca
NAME='@NAME@'

fail() {
	echo "constat: $*" >&2
	exit 1
}

# root LINE runs a line on the phone as root; there must be no quotes in it.
root() {
	case $way in
	root) "$ADB" shell "$1" ;;
	su) "$ADB" shell "su -c '$1'" ;;
	su0) "$ADB" shell "su 0 sh -c '$1'" ;;
	esac
}

# is_root says whether root works the given way.
is_root() {
	way=$1
	[ "$(root "id -u" 2>/dev/null </dev/null | tr -d '\r')" = 0 ]
}

# become_root finds a way.
become_root() {
	is_root root && return
	"$ADB" root >/dev/null 2>&1 && "$ADB" wait-for-device
	is_root root || is_root su || is_root su0 || fail "no root on the phone: take an emulator without Google Play, or a rooted phone, and allow the shell to be root"
}

certificate() {
	cat <<'CONSTAT_CERTIFICATE'
@CERTIFICATE@
CONSTAT_CERTIFICATE
}

on_phone() {
	cat <<'CONSTAT_ON_PHONE'
@STORE@
CONSTAT_ON_PHONE
}

[ $# = 1 ] || fail "want up, down or status"
case $1 in
up | down | status) ;;
*) fail "want up, down or status, not $1" ;;
esac
command -v "$ADB" >/dev/null || fail "adb is not installed: it is in Android's platform tools"
[ "$("$ADB" get-state 2>/dev/null)" = device ] || fail "adb sees no phone, or several: connect one and allow debugging, or set ANDROID_SERIAL"
become_root

files=$(mktemp -d) || fail "no folder for temporary files"
trap 'rm -rf "$files"' EXIT
if ! certificate >"$files/$NAME" || ! on_phone >"$files/store.sh"; then
	fail "cannot write to $files"
fi
if ! "$ADB" shell "mkdir -p $FOLDER" || ! "$ADB" push "$files/$NAME" "$files/store.sh" "$FOLDER/" >/dev/null; then
	fail "cannot write to $FOLDER on the phone"
fi
root "sh $FOLDER/store.sh $1 $FOLDER/$NAME $FOLDER/stores"
status=$?
if [ "$1" = down ]; then
	root "rm -rf $FOLDER"
fi
exit $status

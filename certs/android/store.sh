#!/system/bin/sh
# Puts a CA certificate among those that Android's apps trust, for as long as the
# phone runs, and takes it out again. It runs on the phone, as root:
#
#     sh store.sh up|down|status CERTIFICATE FOLDER
#
# CERTIFICATE is named <subject_hash_old>.0, FOLDER is a place for copies, on /data.
# Nothing of the system is changed: a folder with the same certificates and one more
# is laid over the system's (a bind mount), which a restart undoes.
#
# Where the system's certificates are:
#   Android 7 to 13   /system/etc/security/cacerts
#   Android 14 on     /apex/com.android.conscrypt/cacerts, a part of the module
#                     Conscrypt, which is updated by itself. A 13 whose module was
#                     updated may have it, too. So what there is decides, not the version.
# Each app has a view of the file system of its own (a mount namespace), which it
# copies from the zygote that starts it. So the folder is laid over the system's in
# init's view (of what starts later), in the zygotes' (of the apps that start later),
# and in that of each app that runs. (source.android.com/docs/core/ota/apex,
# mount_namespaces(7), httptoolkit.com/blog/android-14-install-system-ca-certificate)

STORES=${STORES:-/apex/com.android.conscrypt/cacerts /system/etc/security/cacerts}

say() { echo "constat: $*"; }

fail() {
	say "$*" >&2
	exit 1
}

# in_space PID COMMAND … runs a command in a process's view of the file system.
in_space() {
	space=$1
	shift
	nsenter --mount="/proc/$space/ns/mnt" -- "$@"
}

# spaces prints the processes whose views matter, init first.
spaces() {
	echo 1
	for zygote in $(pidof zygote64) $(pidof zygote); do
		echo "$zygote"
		ps -A -o pid,ppid | while read -r pid parent; do
			if [ "$parent" = "$zygote" ]; then
				echo "$pid"
			fi
		done
	done
}

# has PID STORE says whether the certificate is in the store, as a process sees it.
has() { in_space "$1" test -f "$2/$name" 2>/dev/null; }

# laid PID STORE NUMBER says whether it is our copy that a process sees there.
laid() { grep -q "/${folder##*/}/$3 $2 " "/proc/$1/mountinfo" 2>/dev/null; }

# copy STORE NUMBER makes a copy of a store with the certificate in it. Its label is
# the store's: apps may not read files of others (SELinux).
copy() {
	target=$folder/$2
	rm -rf "$target"
	mkdir -p "$target" && cp "$1"/* "$target"/ && cp "$certificate" "$target/$name" || return 1
	chmod 755 "$target" && chmod 644 "$target"/* && chown -R 0:0 "$target" || return 1
	label=$(ls -Zd "$1" 2>/dev/null)
	label=${label%% *}
	case $label in
	*:*:*:*) chcon -R "$label" "$target" || return 1 ;;
	esac
}

up() {
	[ -s "$certificate" ] || fail "$certificate is not there"
	number=0
	for store in $STORES; do
		number=$((number + 1))
		[ -d "$store" ] || continue
		if ! laid 1 "$store" "$number" && ! has 1 "$store"; then
			copy "$store" "$number" || fail "cannot copy $store to $folder"
		fi
		[ -d "$folder/$number" ] || continue # it is there without us
		for pid in $(spaces); do
			if ! has "$pid" "$store"; then
				in_space "$pid" mount -o bind "$folder/$number" "$store" 2>/dev/null
			fi
		done
	done
	status
}

down() {
	number=0
	for store in $STORES; do
		number=$((number + 1))
		for pid in $(spaces); do
			if laid "$pid" "$store" "$number"; then
				in_space "$pid" umount "$store" 2>/dev/null || in_space "$pid" umount -l "$store"
			fi
		done
	done
	rm -rf "$folder"
	say "the certificate is out; close and open apps that had it"
}

# status fails unless init and all zygotes see the certificate in all stores.
status() {
	missing=0 stores=0
	for store in $STORES; do
		[ -d "$store" ] || continue
		stores=$((stores + 1))
		for pid in 1 $(pidof zygote64) $(pidof zygote); do
			if ! has "$pid" "$store"; then
				missing=$((missing + 1))
				say "process $pid does not see it in $store"
			fi
		done
	done
	[ "$stores" -gt 0 ] || fail "this system has none of $STORES"
	[ "$missing" = 0 ] || exit 3
	say "the certificate is in; close and open apps that were running"
}

[ $# = 3 ] || fail "want: sh store.sh up|down|status CERTIFICATE FOLDER"
certificate=$2 folder=${3%/} name=${2##*/}
case $1 in
up | down | status) "$1" ;;
*) fail "want up, down or status, not $1" ;;
esac

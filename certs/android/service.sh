#!/system/bin/sh
# When the phone has started: whatever does not see the certificate yet. That is apps
# whose zygote made its view of the files before, and the store of Android 13 and
# earlier where no module laid files over it (KernelSU without a metamodule).
module=${0%/*}
for _ in $(seq 300); do
	[ "$(getprop sys.boot_completed)" = 1 ] && break
	sleep 1
done
for certificate in "$module"/system/etc/security/cacerts/*.0; do
	sh "$module/store.sh" up "$certificate" /data/adb/constat-ca >"$module/last.log" 2>&1
done

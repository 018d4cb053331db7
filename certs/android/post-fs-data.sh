#!/system/bin/sh
# Before the first app starts: Android 14's store, which Magisk and KernelSU do not
# lay files over. (topjohnwu.github.io/Magisk/guides.html, kernelsu.org/guide/module.html)
module=${0%/*}
for certificate in "$module"/system/etc/security/cacerts/*.0; do
	if [ -d /apex/com.android.conscrypt/cacerts ]; then
		STORES=/apex/com.android.conscrypt/cacerts sh "$module/store.sh" up "$certificate" /data/adb/constat-ca
	fi
done

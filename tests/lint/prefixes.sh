#!/bin/sh
# tests/lint/prefixes.sh - every external symbol of ours begins with abt_, but
# for main; B is the build folder
objects=$(find "${B:-build}/proxy" -name '*.o' 2>/dev/null)
[ -n "$objects" ] || { echo "no objects under ${B:-build}/proxy: run make first"; exit 1; }
rc=0
for object in $objects; do
	# An object whose source is gone says nothing.
	source=${object#"${B:-build}/"}
	[ -e "${source%.o}.c" ] || continue
	for symbol in $(nm -g --defined-only --format=posix "$object" | cut -d' ' -f1); do
		case $symbol in
		abt_* | main) ;;
		__odr_asan* | __asan_* | __tsan_* | __sanitizer_*) ;; # of sanitizers
		*) echo "${source%.o}.c: $symbol has no abt_ prefix"; rc=1 ;;
		esac
	done
done
exit $rc

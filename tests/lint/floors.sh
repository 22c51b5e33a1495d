#!/bin/sh
# tests/lint/floors.sh - includes point downwards
rc=0 below=
while read -r floor headers; do
	below="$below $floor"
	for header in $headers; do below="$below albatross/$header"; done
	for file in proxy/"$floor"/*.[ch]; do
		[ -e "$file" ] || continue
		for inc in $(sed -n 's/^#include "\(.*\)"/\1/p' "$file"); do
			case "$inc" in
			albatross.h) what=albatross/albatross.h ;;
			albatross/*) what=$inc ;;
			*/*)         what=${inc%%/*} ;;
			*)           what=$floor ;;
			esac
			case " $below " in
			*" $what "*) ;;
			*) echo "$file: $floor may not include $inc"; rc=1 ;;
			esac
		done
	done
done <<FLOORS
base bytes.h arena.h buf.h json.h option.h rule.h rules.def
http http.h
route call.h
dialect dialect.h albatross.h
net backend.h
function
bootstrap
gateway
config
cli
FLOORS
grep -nE '#include <(event2/|sys/socket|sys/random|openssl/ssl)|\<(time|clock_gettime|random|rand)\(' \
    proxy/http/*.[ch] proxy/route/*.[ch] proxy/dialect/*.[ch] && rc=1
exit $rc

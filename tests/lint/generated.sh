#!/bin/sh
# tests/lint/generated.sh - what is written from the tables is as the tables are
program=${B:-build}/albatross
[ -x "$program" ] || { echo "$program is not built"; exit 1; }
rc=0
check() {
	"$program" $1 | cmp -s - "$2" ||
	    { echo "$2 is not what albatross $1 says: make man"; rc=1; }
}
check _man man/albatross.1
check '_man conf' man/albatross.conf.5
check '_man rules' man/albatross-rules.7
for shell in bash zsh; do
	command -v $shell >/dev/null 2>&1 || continue
	"$program" _completion $shell | $shell -n ||
	    { echo "the completion of $shell is no $shell"; rc=1; }
done
exit $rc

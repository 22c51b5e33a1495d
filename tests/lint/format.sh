#!/bin/sh
# tests/lint/format.sh - sources look as .clang-format says; `make format` makes
# them so
format=clang-format
command -v clang-format-14 >/dev/null && format=clang-format-14
# Other versions break lines in other places.
$format --version | grep -q 'version 14\.' || {
	echo "skipped: clang-format 14 is wanted, here is $($format --version)"
	exit 0
}
files=$(git ls-files '*.c' '*.h' | while read -r file; do [ -e "$file" ] && echo "$file"; done)
# shellcheck disable=SC2086 # names without blanks
$format --dry-run -Werror $files 2>&1 | grep -E 'error:' && exit 1
exit 0

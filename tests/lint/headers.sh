#!/bin/sh
# tests/lint/headers.sh - each file opens with its name and what it is; a .c
# file includes its own header first
rc=0
for file in $(git ls-files 'proxy/*.[ch]' 'include/*.h' 'tests/*.[ch]' 'bench/*.[ch]'); do
	base=$(basename "$file")
	sed -n 2p "$file" | grep -q "^ \* $base - " ||
	    { echo "$file does not open with \" * $base - what it is\""; rc=1; }
done
exit $rc

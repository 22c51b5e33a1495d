#!/bin/sh
# tests/lint/architecture.sh - docs/architecture.md lists every source file of
# the house, and none that is gone
#
# The page has a heading for each folder, which names it ("### proxy/base/ (0)"),
# and under it rows whose first cell names files in backticks:
# | `arena.c` | bump allocator ... |
page=docs/architecture.md
[ -e "$page" ] || { echo "$page is missing"; exit 1; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

awk '
/^#/ {
	folder = ""
	if (match($0, /(proxy|include)\/[a-z\/]*/)) {
		folder = substr($0, RSTART, RLENGTH)
		if (folder !~ /\/$/) folder = folder "/"
	}
}
folder != "" && /^\|/ {
	split($0, cells, "|")
	rest = cells[2]
	while (match(rest, /`[^`]+`/)) {
		name = substr(rest, RSTART + 1, RLENGTH - 2)
		rest = substr(rest, RSTART + RLENGTH)
		path = folder name
		while (sub(/[^\/]+\/\.\.\//, "", path)) ;
		print path
	}
}' "$page" | sort >"$work/listed"
# Headers and tables go with their .c files: they may be listed.
git ls-files proxy | grep '\.c$' | while read -r file; do
	[ -e "$file" ] && echo "$file"
done | sort >"$work/there"

rc=0
uniq -d "$work/listed" >"$work/twice"
sort -u "$work/listed" >"$work/once"
comm -13 "$work/once" "$work/there" >"$work/unlisted"
comm -23 "$work/once" "$work/there" | while read -r file; do
	[ -e "$file" ] || echo "$file"
done >"$work/gone"
for what in twice unlisted gone; do
	[ -s "$work/$what" ] || continue
	sed "s|\$|: $what in $page|; s|: gone in|: does not exist, but stands in|;
	    s|: unlisted in|: has no row in|; s|: twice in|: has two rows in|" "$work/$what"
	rc=1
done
exit $rc

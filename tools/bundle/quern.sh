#!/bin/sh
# Quern on the Node that lies beside it; nothing is taken from PATH. Works through a symbolic link where the system has readlink.
self=$0
[ -L "$self" ] && self=$(command -p readlink -f "$self")
case $self in
  */*) here=${self%/*} ;;
  *) here=. ;;
esac
exec "$here/node/bin/node" "$here/packages/cli/src/main.js" "$@"

#!/bin/sh
# Runs in a disposable container as certbot's user: keeps its standard input as a file that only this user reads.
#   FILE   name of the file

umask 077
cat >"/secrets/$FILE.new"
mv -f "/secrets/$FILE.new" "/secrets/$FILE"

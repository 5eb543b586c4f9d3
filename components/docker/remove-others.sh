#!/bin/sh
# Runs in a disposable container of the Synapse image, as Synapse's user, when the server runs with its own secrets.
#   CURRENT   name of the directory that it reads

find /secrets -mindepth 1 -maxdepth 1 ! -name "$CURRENT" -exec rm -rf {} +

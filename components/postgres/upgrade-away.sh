#!/bin/sh
# Runs beside Pulumi, before the data is copied to another major: who writes it is stopped, and who has it is not.
#   CHECKED    what the initialization said
#   POSTGRES   name of PostgreSQL's container
# Leaves SERVER empty when nobody is to be stopped, and PATIENCE at 0 when nobody is to be waited for.

case $CHECKED in
    "upgrade "*) ;;
    *) exit 0 ;;
esac
# shellcheck disable=SC2034  # for what stands after it
# That of the new major may be there already, after a deployment that was cut short: then nothing is copied.
case $(docker container inspect --format '{{json .Config.Entrypoint}}' "$POSTGRES" 2>/dev/null) in
    *"/${CHECKED#upgrade }/docker"*) docker start "$POSTGRES" >/dev/null ;;
    *) SERVER='' PATIENCE=0 ;;
esac

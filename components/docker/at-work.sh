#!/bin/sh
# Runs beside Pulumi, before anything of the running server is touched: a server that upgrades its database is left to it.
#   SERVER   name of the server's container

if words=$(docker container inspect --format \
    '{{.State.Status}} {{.State.StartedAt}} {{with .State.Health}}{{.Status}}{{end}}' "$SERVER" 2>/dev/null); then
    case $words in
        *" healthy") ;;
        "running "*)
            started=${words#* }
            started=${started%% *}
            step=$(docker logs --since "$started" "$SERVER" 2>&1 |
                sed -n 's/.* - synapse\.storage\.prepare_database - .* - //p' | tail -n 1)
            case $step in
                "" | "Schema now up to date"*) ;;
                *)
                    echo "Refused, and nothing was touched: $SERVER has been upgrading its database since $started \
(now: $step), and would begin again if it were stopped. Wait until \`docker logs --follow $SERVER\` says \
\"Schema now up to date\"; then run this again." >&2
                    exit 1
                    ;;
            esac
            ;;
    esac
fi

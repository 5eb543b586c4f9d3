# Runs in a disposable container of the Synapse image, as Synapse's user, with every volume read-only.
# Synapse itself reads the configuration, before the running server is touched.
exec python3 -m synapse.config --config-path=/data/homeserver.yaml --config-path=/config/homeserver.yaml </dev/null

/** What nginx logs of each request. hold.js reads `$request_path`, too. */
export const REQUEST_LOG = `# The path alone: access tokens can stand in a query.
map $request_uri $request_path {
    default "";
    "~^(?<path>[^?]*)" $path;
}
log_format pathonly '$remote_addr - [$time_iso8601] "$request_method $request_path $server_protocol" '
                    '$status $body_bytes_sent $request_time';
# In blocks: a write for each line, which Docker then takes apart, costs more than answering.
access_log /dev/stdout pathonly buffer=32k flush=1s;`;

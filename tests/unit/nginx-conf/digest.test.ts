import assert from "node:assert/strict";
import { test } from "node:test";
import { nginxConf } from "../../../components/nginx/conf.ts";
import { here, parseNginx } from "../../support/nginx.ts";
import { ARGS, locationsOf, only, serversOf } from "../../support/nginx-conf.ts";

test("another hold script is another configuration", () => {
    const { digest } = nginxConf(ARGS);
    assert.match(digest, /^[0-9a-f]{12}$/);
    assert.notEqual(nginxConf({ ...ARGS, holdScript: "other" }).digest, digest);
    assert.notEqual(nginxConf({ ...ARGS, maxUploadSize: "1M" }).digest, digest);
    assert.deepEqual(nginxConf(ARGS).text.match(/[0-9a-f]{12}/g), [digest]);
});

test("nginx tells its health port, and nobody else, which configuration it has", () => {
    const { text, digest } = nginxConf(ARGS);
    const [health, ...others] = serversOf(parseNginx(text));
    assert.deepEqual(here(health ?? [], "listen")[0]?.args, ["127.0.0.1:8081"]);
    const location = locationsOf(health ?? []).find(({ match }) => match[1] === "/configuration");
    assert.deepEqual(only(location?.block ?? [], "return").args, ["200", digest]);
    assert.ok(!JSON.stringify(others).includes(digest));
});

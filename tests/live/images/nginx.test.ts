import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docker, HARDENED, succeed, until, used } from "../../support/image-commands.ts";

// What the program relies on in nginx's official image: asked of that, or of the equivalent where it stands in.

const asNginx = [
    ...HARDENED,
    "--user=101:101",
    "--tmpfs=/var/cache/nginx:uid=101,gid=101",
    "--tmpfs=/run:uid=101,gid=101",
];

const nginx = used("nginx");

before(remove);
after(remove);

test("nginx serves port 80 hardened, as 101, with its log on the container's output", async () => {
    await succeed("run", "--detach", "--name=imgtest-nginx", ...asNginx, nginx.tag);
    await until("imgtest-nginx", "curl", "-fsS", "http://localhost:80/");
    assert.match((await docker("logs", "imgtest-nginx")).stdout, /"GET \/ HTTP\/1\.1" 200/);
    await succeed("exec", "imgtest-nginx", "nginx", "-s", "reload");
    await succeed("stop", "-t", "20", "imgtest-nginx");
    assert.equal(await succeed("inspect", "--format={{.State.ExitCode}}", "imgtest-nginx"), "0");
});

test("nginx loads njs by the official image's path", async () => {
    for (const module of ["modules/ngx_http_js_module.so", "/etc/nginx/modules/ngx_http_js_module.so"]) {
        await succeed("run", "--rm", ...asNginx, nginx.tag, "nginx", "-t", "-g", `load_module ${module};`);
    }
});

test("nginx's entrypoint runs the executable scripts, for nginx only, and stops at a failure", async () => {
    const script = (body: string) =>
        `printf '#!/bin/sh\\n${body}\\n' > /docker-entrypoint.d/10-test.sh; chmod +x /docker-entrypoint.d/10-test.sh; `;
    const inside = (command: string) => docker("run", "--rm", "--entrypoint=sh", nginx.tag, "-c", command);

    assert.match((await inside(`${script("echo ran")} /docker-entrypoint.sh nginx -t`)).stdout, /^ran$/m);
    assert.doesNotMatch((await inside(`${script("echo ran")} /docker-entrypoint.sh true`)).stdout, /ran/);
    assert.equal((await inside(`${script("exit 7")} /docker-entrypoint.sh nginx -t`)).code, 7);
});

async function remove(): Promise<void> {
    await docker("rm", "--force", "--volumes", "imgtest-nginx");
}

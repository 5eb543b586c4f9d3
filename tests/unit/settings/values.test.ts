import { test } from "node:test";
import { assertOneFault, LEAST, testRefused } from "../../support/settings.ts";

/** Settings of one value each, which depend on no other. */

testRefused(
    ["reportStats", ["yes"], "true or false"],
    ["maxUploadSize", ["50MB", "0M", "50m"], "a whole number with K or M, e.g. 50M"],
    ["maxUploadSize", [50], "a size such as 50M"],
    ["startSeconds", [4, 3601, 5.5, "later"], "a whole number of seconds from 5 to 3600"],
    ["holdSeconds", [-1, 61, 0.5, "soon"], "a whole number of seconds from 0 to 60"],
    ["logLevel", ["info"], "one of DEBUG, INFO, WARNING, ERROR"],
    ["extraConfig", [[1]], "an object of homeserver.yaml options"],
    ["images.nginx", ["a b"], "an image reference, e.g. nginx:1.30.0"],
    ["memory.synapse", [255], "a whole number of MiB, at least 256"],
    ["memory.nginx", ["1G"], "a whole number of MiB, at least 64"],
    ["ephemeral", [1], "true or false"],
    [
        "name",
        ["Synapse", "a".repeat(41)],
        "2 to 40 lower-case letters, digits and _ . -, beginning with a letter or digit",
    ],
    ["dockerHost", ["localhost"], "unix:///path, tcp://host:port or ssh://user@host, without a password"],
);

test("a Docker host with a password is refused, and the password not repeated", () => {
    assertOneFault({ ...LEAST, dockerHost: "ssh://a:b@c" }, "dockerHost", {
        got: '"ssh://[hidden]@c"',
        wanted: "unix:///path, tcp://host:port or ssh://user@host, without a password",
        fix: "pulumi config set synapse:dockerHost <value>",
    });
});

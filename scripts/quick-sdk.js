// Preloaded by whatever loads the Pulumi SDK. Most of its loading time goes into a TypeScript compiler and npm's
// package tree, which it needs only to turn functions into cloud functions. This loads them when they are first used.
import module from "node:module";
import { fileURLToPath } from "node:url";

// Where Node has it (22.8 and newer), compiled code is kept from run to run: here, and not in the directory for
// temporary files, where others may put some.
module.enableCompileCache?.(fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url)));

const RARELY_USED = new Set(["typescript", "@npmcli/arborist"]);
const SDK = /[\\/]node_modules[\\/]@pulumi[\\/]pulumi[\\/]/;

// The only way to stand between a CommonJS package and what it requires.
const load = module._load;
module._load = function (request, parent, isMain) {
    const eager = () => load.call(this, request, parent, isMain);
    return RARELY_USED.has(request) && SDK.test(parent?.filename ?? "") ? whenUsed(eager) : eager();
};

function whenUsed(loadNow) {
    let loaded;
    const get = () => (loaded ??= loadNow());
    return new Proxy(
        {},
        {
            // __esModule: asked as the SDK takes the module in, and true would be no reason to load it.
            get: (_, key) => (key === "__esModule" ? true : Reflect.get(get(), key)),
            has: (_, key) => Reflect.has(get(), key),
        },
    );
}

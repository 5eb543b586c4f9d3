// Preloaded by whatever loads the Pulumi SDK. Most of its loading time goes into a TypeScript compiler, which it
// needs only to turn functions into cloud functions. This loads it when it is first used.
import "./supported-node.js";
import module from "node:module";
import { fileURLToPath } from "node:url";

// Compiled code is kept from run to run: here, and not in the directory for temporary files, where others may put some.
module.enableCompileCache(fileURLToPath(new URL("../node_modules/.cache/compiled", import.meta.url)));

const RARELY_USED = "typescript";
const SDK = /[\\/]node_modules[\\/]@pulumi[\\/]pulumi[\\/]/;

// `module.registerHooks` is the official way, and asks for every module: a quarter more of the time that this saves.
const load = module._load;
module._load = function (request, parent, isMain) {
    const eager = () => load.call(this, request, parent, isMain);
    return request === RARELY_USED && SDK.test(parent?.filename ?? "") ? whenUsed(eager) : eager();
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

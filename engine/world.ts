import type Docker from "dockerode";
import { exists, type Found, type Kind, LABELS, remove, survey } from "./docker.ts";
import type { StackRecord } from "./record.ts";
import { Refusal } from "./refusal.ts";
import type { Registration } from "./registration.ts";
import type { Report } from "./report.ts";

/** What is on the Docker engine, against what the program names. */
export class World {
    readonly docker: Docker;
    readonly record: StackRecord;
    readonly report: Report;
    readonly signal: AbortSignal;
    readonly #stack: string;
    readonly #found: Set<Found>;
    readonly #named = new Set<string>();
    /** URNs of the containers that each resource needs, directly or not. */
    readonly #needs = new Map<string, ReadonlySet<string>>();
    #made = 0;

    private constructor(args: WorldArgs, found: Found[]) {
        this.docker = args.docker;
        this.record = args.record;
        this.report = args.report;
        this.signal = args.signal;
        this.#stack = args.stack;
        this.#found = new Set(found);
    }

    static async open(args: WorldArgs): Promise<World> {
        return new World(args, await survey(args.docker, args.stack));
    }

    /**
     * Notes that the program names this object, and returns it if it is there. Somebody else's is refused, unless
     * the program's own hook makes way for the new one.
     */
    async claim(
        kind: Kind,
        name: string,
        { hooks }: Pick<Registration, "hooks">,
    ): Promise<Found | undefined> {
        const key = `${kind} ${name}`;
        if (this.#named.has(key)) throw new Refusal(`the program names the ${key} twice`);
        this.#named.add(key);
        const found = [...this.#found].find((object) => object.kind === kind && object.name === name);
        if (found === undefined || found.mine) return found;
        const other = found.labels[LABELS.stack];
        // Volumes made by hand or by `pulumi up` are taken over as they are, with their data.
        if (kind === "volume" && other === undefined) return found;
        await hooks.beforeCreate();
        if (!(await exists(this.docker, found))) {
            this.#found.delete(found);
            return undefined;
        }
        const owner = other === undefined ? "was not made by this engine" : `belongs to the stack ${other}`;
        throw new Refusal(`there is a ${key} already, and it ${owner}: remove it, or choose another name`);
    }

    /** An object of an earlier run that this resource has since given up for one of another name. */
    formerly(kind: Kind, urn: string): Found | undefined {
        return this.mine(kind).find((found) => found.labels[LABELS.urn] === urn && !this.#isNamed(found));
    }

    /** Whether anything stands that this stack has made. */
    isEmpty(): boolean {
        return ![...this.#found].some(({ mine }) => mine);
    }

    mine(kind: Kind): Found[] {
        return [...this.#found].filter((found) => found.mine && found.kind === kind);
    }

    /** The labels of an object about to be made. */
    labels(resource: Registration, name: string): Record<string, string> {
        return {
            [LABELS.stack]: this.#stack,
            [LABELS.urn]: resource.urn,
            [LABELS.name]: name,
            [LABELS.created]: `${Date.now()}.${String(this.#made++).padStart(4, "0")}`,
            ...((resource.protect || resource.retainOnDelete) && { [LABELS.protect]: "true" }),
        };
    }

    /** Learns which containers a resource needs, and tells. */
    needs({ urn, dependencies, type }: Registration): ReadonlySet<string> {
        const needs = new Set(dependencies.flatMap((dependency) => [...(this.#needs.get(dependency) ?? [])]));
        const passedOn = type === "docker:index/container:Container" ? [...needs, urn] : needs;
        this.#needs.set(urn, new Set(passedOn));
        return needs;
    }

    async remove(found: Found): Promise<void> {
        await remove(this.docker, found);
        this.#found.delete(found);
    }

    /** Frees a volume or a network of its containers, which the program is going to make again. */
    async removeUsersOf(found: Found): Promise<void> {
        const users = [...this.#found].filter(
            ({ kind, uses }) => kind === "container" && uses.includes(found.name),
        );
        const stranger = users.find(({ mine }) => !mine);
        if (stranger)
            throw new Refusal(`the ${found.kind} ${found.name} is in use by the container ${stranger.name}`);
        for (const user of dependentsFirst(users)) await this.remove(user);
    }

    /** Removes what the program no longer names. Only for after a run without any failure. */
    async prune(): Promise<void> {
        const forgotten = [...this.#found].filter((found) => found.mine && !this.#isNamed(found));
        for (const found of inRemovalOrder(forgotten)) {
            if (!this.isProtected(found)) await this.removeAndTell(found);
        }
    }

    /** Removes the whole stack. Returns what is protected, which is kept unless `evenProtected`. */
    async removeAll(evenProtected: boolean): Promise<string[]> {
        const kept: string[] = [];
        for (const found of inRemovalOrder([...this.#found].filter(({ mine }) => mine))) {
            if (this.isProtected(found) && !evenProtected) kept.push(found.name);
            else await this.removeAndTell(found);
        }
        return kept;
    }

    isProtected({ kind, name, labels }: Found): boolean {
        const recorded = kind === "volume" && this.record.contents.protectedVolumes.includes(name);
        return recorded || labels[LABELS.protect] !== undefined;
    }

    async removeAndTell(found: Found): Promise<void> {
        if (this.signal.aborted) return;
        const started = Date.now();
        await this.remove(found);
        this.report.done("removed", `${found.kind} ${found.name}`, started);
    }

    #isNamed({ kind, name }: Found): boolean {
        return this.#named.has(`${kind} ${name}`);
    }
}

export interface WorldArgs {
    readonly docker: Docker;
    /** `project/stack`. */
    readonly stack: string;
    readonly record: StackRecord;
    readonly report: Report;
    readonly signal: AbortSignal;
}

function inRemovalOrder(found: Found[]): Found[] {
    const of = (kind: Kind) => found.filter((object) => object.kind === kind);
    return [...dependentsFirst(of("container")), ...of("network"), ...of("volume")];
}

/** The newest first, and each container before those it needs, which may have been replaced since. */
function dependentsFirst(containers: Found[]): Found[] {
    const sorted = new Set<Found>();
    const visited = new Set<Found>();
    const visit = (container: Found) => {
        if (visited.has(container)) return;
        visited.add(container);
        const urn = container.labels[LABELS.urn] ?? "";
        for (const other of newest) if (needs(other).includes(urn)) visit(other);
        sorted.add(container);
    };
    const newest = [...containers].sort((a, b) => (created(a) < created(b) ? 1 : -1));
    newest.forEach(visit);
    return [...sorted];
}

const created = ({ labels }: Found) => labels[LABELS.created] ?? "";
const needs = ({ labels }: Found) => labels[LABELS.needs]?.split("\n") ?? [];

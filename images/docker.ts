import { createInterface } from "node:readline";
import type Docker from "dockerode";

/** Whether the engine has an image of that name. */
export async function present(docker: Docker, reference: string): Promise<boolean> {
    try {
        await docker.getImage(reference).inspect();
        return true;
    } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return false;
        throw error;
    }
}

/** One JSON object of the engine's progress stream. */
export interface EngineEvent {
    readonly stream?: string;
    readonly status?: string;
    readonly error?: string;
    readonly id?: string;
    readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export async function* eventsOf(stream: NodeJS.ReadableStream): AsyncGenerator<EngineEvent> {
    for await (const line of createInterface({ input: stream })) {
        if (line.trim() !== "") yield JSON.parse(line) as EngineEvent;
    }
}

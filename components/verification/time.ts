/** Rejects when it takes longer. What is still under way is left to itself. */
export async function inTime<Value>(value: Promise<Value>, patienceMs: number): Promise<Value> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("no answer in time")), patienceMs);
    });
    try {
        return await Promise.race([value, late]);
    } finally {
        clearTimeout(timer);
    }
}

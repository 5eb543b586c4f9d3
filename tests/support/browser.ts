import type { Page, Response } from "playwright-core";

/**
 * Goes to a page. Chromium drops what it asks for when a network of the machine comes or goes, as Docker's do beside a
 * test: then it asks again.
 */
export async function visit(page: Page, url: string): Promise<Response | null> {
    for (let tries = 1; ; tries += 1) {
        try {
            return await page.goto(url);
        } catch (error) {
            if (tries === 20 || !String(error).includes("ERR_NETWORK_CHANGED")) throw error;
        }
    }
}

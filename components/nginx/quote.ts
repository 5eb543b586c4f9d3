/** A text as a regular expression that matches it alone. */
export function regexQuoted(text: string): string {
    return text.replaceAll(/[.[\]]/g, "\\$&");
}

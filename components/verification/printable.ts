/** A text that may quote others, without what would steer the terminal that it is printed on; lines stay lines. */
export function printable(text: string): string {
    return text.replaceAll(/(?!\n)\p{Cc}/gu, "\uFFFD");
}

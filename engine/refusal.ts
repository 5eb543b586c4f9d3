/** Something asked for that this engine does not do. Its message is for the person running it: no stack. */
export class Refusal extends Error {}

/** Something asked for that this engine does not do. Its message is for the person running it: no stack. */
export class Refusal extends Error {}

/** There is neither a record of a stack nor anything that it made. */
export class NoSuchStack extends Refusal {
    constructor(stack: string) {
        super(`there is no stack ${stack} of this engine`);
    }
}

/** How often each figure is taken. */
export const ROUNDS = 3;

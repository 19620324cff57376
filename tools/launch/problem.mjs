// A problem that the person at the keyboard can solve: shown as its message, without a stack.
export class LaunchProblem extends Error {}

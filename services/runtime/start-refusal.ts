/** Exit code of a process that refuses to start: trying again without a person's help would not change the answer (`EX_CONFIG` of sysexits.h). */
export const refusalExitCode = 78;

/** A failure whose message says all a person needs: it is printed without a stack. */
export class PlainFailure extends Error {
  override readonly name: string = 'PlainFailure';
}

/**
 * A reason not to start that a person can mend: a wrong variable, a port in use, a pending migration.
 * `runProcess` prints the message without a stack and ends with `refusalExitCode`; the supervisor does not try again.
 */
export class StartRefusal extends PlainFailure {
  override readonly name = 'StartRefusal';
}

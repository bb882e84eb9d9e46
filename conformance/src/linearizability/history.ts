/** What several callers have asked, when, and what they were told: the history that an order has to explain. */

/** A call, from the moment it was made to the moment its caller knew the result. Moments are counted, not measured. */
export interface Operation<Call> {
  /** What was asked and what the answer was; compared by the specification. */
  readonly call: Call;
  /** Who asked. */
  readonly caller: string;
  readonly invoked: number;
  /** `Infinity` if nobody was ever told. */
  readonly returned: number;
  /** Whether it may have had no effect: a call without an answer, or a part of one that failed. */
  readonly isOptional: boolean;
  /** For people. */
  readonly text: string;
}

/** A clock that counts: no two moments are the same. */
export class Moments {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}

/** Collects a history while it happens. */
export class History<Call> {
  readonly operations: Operation<Call>[] = [];

  add(operation: Omit<Operation<Call>, "isOptional"> & { readonly isOptional?: boolean }): void {
    this.operations.push({ isOptional: false, ...operation });
  }
}

/**
 * The history as it would be drawn: a line for each call, in the order in which they were made, with a bar from its call to its answer. Bars
 * that have no moment in common are of calls that came one after the other.
 */
export function linesOf<Call>(operations: readonly Operation<Call>[]): readonly string[] {
  const inOrder = [...operations].sort((a, b) => a.invoked - b.invoked || a.returned - b.returned);
  const moments = inOrder.flatMap(({ invoked, returned }) => [invoked, returned]).filter(Number.isFinite);
  const ranks = new Map([...new Set(moments)].sort((a, b) => a - b).map((moment, rank) => [moment, rank]));
  const callerWidth = Math.max(0, ...inOrder.map(({ caller }) => caller.length));
  const textWidth = Math.max(0, ...inOrder.map(({ text }) => text.length));
  return inOrder.map(({ caller, text, invoked, returned }) => {
    const from = ranks.get(invoked) ?? 0;
    const to = ranks.get(returned) ?? ranks.size + 1;
    const bar = `${" ".repeat(from)}├${"─".repeat(Math.max(0, to - from - 1))}${returned === Infinity ? "…" : "┤"}`;
    return `${caller.padEnd(callerWidth)}  ${text.padEnd(textWidth)}  ${bar}`;
  });
}

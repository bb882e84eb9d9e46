/**
 * Which operations fail, and how. One plan serves any `Files`, in memory or real.
 *
 * Invariants:
 * - Operations are numbered from 0 in the order in which they begin; the same program meets the same numbers.
 * - After a crash every operation fails: the process is gone.
 */

/** The operations of `Files` and of its open files. */
export type Operation =
  | "close"
  | "create"
  | "link"
  | "makeDirectory"
  | "open"
  | "read"
  | "readDirectory"
  | "realPath"
  | "status"
  | "sync"
  | "syncDirectory"
  | "unlink"
  | "write";

/** One operation that is about to begin. */
export interface Call {
  readonly index: number;
  readonly operation: Operation;
  readonly path: string;
}

/**
 * `crash`: the process dies before the operation. `error`: it fails without an effect; `late-error`: it fails after its
 * effect took place. `short`: it moves fewer bytes than it was asked for. `wait`: it begins only when `until` resolves.
 */
export type Fault =
  | { readonly kind: "crash" }
  | { readonly kind: "error" | "late-error"; readonly code: string }
  | { readonly kind: "short" }
  | { readonly kind: "wait"; readonly until: Promise<void> };

/** Where a fault strikes. */
export interface Placement {
  readonly when: (call: Call) => boolean;
  /** How often it strikes. @defaultValue 1 */
  readonly times?: number;
}

/** The death of the process. */
export class CrashNow extends Error {
  override readonly name = "CrashNow";
}

/** The error that the system reports with `code`. */
export function systemError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: injected, ${operation} '${path}'`), { code, syscall: operation, path });
}

/** The faults that are to strike, and the count of operations by which they find their place. */
export class FaultPlan {
  #faults: { readonly fault: Fault; readonly when: Placement["when"]; left: number }[] = [];
  #count = 0;
  #crashed = false;

  /** How many operations have begun. */
  get count(): number {
    return this.#count;
  }

  inject(fault: Fault, { when, times = 1 }: Placement): void {
    this.#faults.push({ fault, when, left: times });
  }

  /** Forgets all faults; a crash stays. */
  heal(): void {
    this.#faults = [];
  }

  /** A new process starts on the disk that a crash left behind: forgets all faults and the crash. */
  restart(): void {
    this.heal();
    this.#crashed = false;
  }

  /** Runs `effect` unless a fault prevents it; `isShort` asks it to move fewer bytes. */
  async run<T>(operation: Operation, path: string, effect: (isShort: boolean) => T | Promise<T>): Promise<T> {
    const fault = this.#next({ index: this.#count++, operation, path });
    // All operations take a turn of the microtask queue at least, so that concurrent calls interleave.
    await (fault?.kind === "wait" ? fault.until : undefined);
    if (fault?.kind === "crash") this.#crashed = true;
    if (this.#crashed) throw new CrashNow(`before ${operation} '${path}'`);
    if (fault?.kind === "error") throw systemError(fault.code, operation, path);
    const result = await effect(fault?.kind === "short");
    if (fault?.kind === "late-error") throw systemError(fault.code, operation, path);
    return result;
  }

  #next(call: Call): Fault | undefined {
    const found = this.#faults.find(({ when, left }) => left > 0 && when(call));
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.fault;
  }
}

/** Places a fault at one operation. */
export function at(index: number): Placement {
  return { when: (call) => call.index === index };
}

/** Places a fault at an operation and all that follow. */
export function from(index: number): Placement {
  return { when: (call) => call.index >= index, times: Number.POSITIVE_INFINITY };
}

/** Places a fault at the next operation of that kind, or at the next `times`. */
export function atNext(operation: Operation, times = 1): Placement {
  return { when: (call) => call.operation === operation, times };
}

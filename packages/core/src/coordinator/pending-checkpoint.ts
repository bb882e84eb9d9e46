/**
 * A checkpoint between its barrier and its end: which tasks have answered, and what they have to say.
 *
 *   waiting ──acknowledge, by every task──▶ acknowledged ──(in order of the ids)──▶ ended
 *      │                                                                              ▲
 *      └──decline, abort──▶ aborted ───────────────────(in order of the ids)──────────┘
 *
 * Invariants:
 * - A task answers once. What comes later, twice, from elsewhere, or for an aborted checkpoint changes nothing here: what was uploaded
 *   for it is garbage.
 * - It ends after every checkpoint that was under way at its barrier.
 */

/** What an answer says it belongs to. */
export interface AnswerAddress {
  /** Number of the attempt that took the barrier. */
  readonly attempt: number;
  readonly checkpoint: number;
  /** Place of the task in its job. */
  readonly task: number;
}

/**
 * What became of an answer: it counts; the task has answered before; it is of another attempt, another checkpoint or no task of it;
 * or the checkpoint was aborted or has ended.
 */
export type Received = "success" | "duplicate" | "unknown" | "discarded";

export interface PendingScope {
  readonly attempt: number;
  readonly checkpoint: number;
  readonly taskCount: number;
  /** Resolves when everything that was under way at its barrier has ended; `undefined` if nothing was. */
  readonly turn: Promise<void> | undefined;
}

export class PendingCheckpoint<Result> {
  readonly id: number;
  /** Resolves when it has ended, whichever way. */
  readonly whenEnded: Promise<void>;
  readonly #scope: PendingScope;
  readonly #results = new Map<number, Result>();
  readonly #answered = new Set<number>();
  readonly #whenAnswered: Promise<void>;
  #onAnswered!: () => void;
  #onEnded!: () => void;
  #aborted: { readonly cause: unknown } | undefined;
  #isEnded = false;

  constructor(scope: PendingScope) {
    this.#scope = scope;
    this.id = scope.checkpoint;
    this.#whenAnswered = new Promise((resolve) => {
      this.#onAnswered = resolve;
    });
    this.whenEnded = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The part of a task is uploaded. */
  acknowledge(address: AnswerAddress, result: Result): Received {
    const received = this.#receive(address);
    if (received === "success") this.#results.set(address.task, result);
    this.#checkAnswered();
    return received;
  }

  /** The part of a task cannot be uploaded: the checkpoint is aborted. The first cause counts. */
  decline(address: AnswerAddress, cause: unknown): Received {
    const received = this.#receive(address);
    if (received === "success") this.#aborted = { cause };
    this.#checkAnswered();
    return received;
  }

  /** Gives the checkpoint up without waiting for those who have not answered. The first cause counts. */
  abort(cause: unknown): void {
    this.#aborted ??= { cause };
    this.#onAnswered();
  }

  /**
   * What the tasks acknowledged, in their order.
   * @throws the cause, if it was aborted; after a `decline` when every task has answered
   */
  async results(): Promise<readonly Result[]> {
    await this.#whenAnswered;
    if (this.#aborted !== undefined) throw this.#aborted.cause as Error;
    return [...this.#results].sort(([a], [b]) => a - b).map(([, result]) => result);
  }

  /** Resolves when everything that was under way at its barrier has ended; `undefined` if nothing was. */
  get turn(): Promise<void> | undefined {
    return this.#scope.turn;
  }

  /** Whether nothing else was under way at its barrier. */
  get isFirst(): boolean {
    return this.#scope.turn === undefined;
  }

  end(): void {
    this.#isEnded = true;
    this.#onEnded();
  }

  #receive({ attempt, checkpoint, task }: AnswerAddress): Received {
    const { taskCount } = this.#scope;
    const isPart = Number.isSafeInteger(task) && task >= 0 && task < taskCount;
    if (attempt !== this.#scope.attempt || checkpoint !== this.id || !isPart) return "unknown";
    if (this.#answered.has(task)) return "duplicate";
    this.#answered.add(task);
    return this.#aborted !== undefined || this.#isEnded ? "discarded" : "success";
  }

  #checkAnswered(): void {
    if (this.#answered.size === this.#scope.taskCount) this.#onAnswered();
  }
}

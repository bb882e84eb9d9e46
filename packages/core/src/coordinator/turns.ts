/**
 * Who may have its barrier when: checkpoints and savepoints begin in the order in which they were asked for.
 *
 *   enter ──▶ waiting ──(room)──▶ at its barrier ──frozen──▶ under way ──leave──▶ ended
 *
 * Invariants:
 * - One barrier at a time. So ids ascend in the order of the calls.
 * - An exclusive turn has no other beside it, from its beginning to its end.
 * - At most `concurrentMax` turns have begun and not ended.
 */

export interface Turn {
  readonly isExclusive: boolean;
}

interface Waiting {
  readonly turn: Turn;
  readonly begin: () => void;
}

export class Turns {
  readonly #concurrentMax: number;
  readonly #mayOverlap: () => boolean;
  readonly #begun = new Set<Turn>();
  #atBarrier: Turn | undefined;
  #waiting: readonly Waiting[] = [];

  /** `mayOverlap` says whether one more may begin although others have not ended. */
  constructor(concurrentMax: number, mayOverlap: () => boolean) {
    this.#concurrentMax = concurrentMax;
    this.#mayOverlap = mayOverlap;
  }

  /** Whether a turn that is not exclusive would have to wait. */
  get isFull(): boolean {
    return this.#waiting.length > 0 || !this.#mayBegin({ isExclusive: false });
  }

  /** `undefined` if the turn begins now, otherwise a promise of it. */
  enter(turn: Turn): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#mayBegin(turn)) {
      this.#begin(turn);
      return undefined;
    }
    return new Promise((begin) => {
      this.#waiting = [...this.#waiting, { turn, begin }];
    });
  }

  /** The barrier of the turn has been, and what it froze is taken: the next may have its own. */
  frozen(turn: Turn): void {
    if (this.#atBarrier === turn) this.#atBarrier = undefined;
    this.next();
  }

  /** The turn has ended. Who waits begins at the call of `next`. */
  leave(turn: Turn): void {
    this.#begun.delete(turn);
    if (this.#atBarrier === turn) this.#atBarrier = undefined;
  }

  /** Lets those begin for whom there is room. */
  next(): void {
    for (let first = this.#waiting[0]; first !== undefined && this.#mayBegin(first.turn); first = this.#waiting[0]) {
      this.#waiting = this.#waiting.slice(1);
      this.#begin(first.turn);
      first.begin();
    }
  }

  #begin(turn: Turn): void {
    this.#begun.add(turn);
    this.#atBarrier = turn;
  }

  #mayBegin(turn: Turn): boolean {
    if (this.#begun.size === 0) return true;
    if (turn.isExclusive || this.#atBarrier !== undefined || this.#begun.size >= this.#concurrentMax) return false;
    for (const { isExclusive } of this.#begun) if (isExclusive) return false;
    return this.#mayOverlap();
  }
}

/**
 * How many scans may keep a connection of a pool while their callers are busy.
 *
 * Invariants:
 * - Half of the connections stay free, so that whoever reads, row by row, what a scan finds does not wait for itself.
 */

/** The right to a connection. */
export interface ScanSlot {
  /** Whether the connection is needed by others: then all is read at once, and it is given back. */
  readonly isShared: boolean;
  leave(): void;
}

export class ScanSlots {
  readonly #sizeMax: () => Promise<number>;
  #taken = 0;

  /** @param sizeMax how many connections the pool has */
  constructor(sizeMax: () => Promise<number>) {
    this.#sizeMax = sizeMax;
  }

  async take(): Promise<ScanSlot> {
    const free = Math.floor((await this.#sizeMax()) / 2) - this.#taken;
    if (free < 1) return { isShared: true, leave: () => undefined };
    this.#taken++;
    let isTaken = true;
    return {
      isShared: false,
      leave: () => {
        if (isTaken) this.#taken--;
        isTaken = false;
      },
    };
  }
}

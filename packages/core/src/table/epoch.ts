/**
 * What all tables of a task share: the current epoch, which rows may change in place, and whether the task still takes calls.
 */

/** In a row: the key is deleted. A row with it stays until its checkpoint has completed. */
export const DELETED: unique symbol = Symbol("deleted");
/** In a row of the current epoch: a later clear of the same epoch removed it; it is not written at all. */
export const DROPPED: unique symbol = Symbol("dropped");

export class Epoch {
  /** Number of the checkpoint that ends the current epoch. */
  number: number;
  /**
   * Every epoch up to this one is in a completed checkpoint. A row of such an epoch is in no frozen table, so that a write may
   * change it in place; a row of a later one must stay as it is.
   */
  settled: number;
  /** Why calls are refused, if they are. */
  refusal: Error | undefined;

  constructor(number: number) {
    this.number = number;
    this.settled = number - 1;
  }

  /** Refuses the call if the task is closed or poisoned. */
  check(): void {
    if (this.refusal !== undefined) throw this.refusal;
  }
}

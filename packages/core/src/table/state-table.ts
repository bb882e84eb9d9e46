/** What a checkpoint needs of a state's table, whatever the kind of state. */

import type { ByteReader } from "../bytes/byte-reader.js";
import type { BinaryKey } from "../key/binary-key.js";
import type { FrozenRows } from "./frozen-rows.js";

/** Where the key of a cell begins in a composite key: after key group and state id. */
export const CELL_OFFSET = 4;

export interface StateTable {
  readonly stateId: number;
  /** Rows that are present, not deleted: what a full checkpoint holds. */
  readonly liveRows: number;
  /** Estimated bytes that the changes of the current epoch take. */
  readonly writtenBytes: number;
  /** Ends the epoch for this state: hands over the rows written in it. Synchronous, in constant time. */
  freeze(): FrozenRows;
  /**
   * Takes an entry of a checkpoint. `key` begins with key group and state id; `value` ends where the value does.
   * Entries of older segments come first.
   */
  load(key: BinaryKey, flags: number, value: ByteReader): void;
}

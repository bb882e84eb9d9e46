/**
 * What LevelDB's manifest says is there: its edits one after the other.
 *
 * @see https://github.com/google/leveldb/blob/main/db/version_edit.cc
 */

import { ByteCursor, Damage } from "./byte-cursor.js";
import { logRecords } from "./log-file.js";

export interface Manifest {
  /** The size of each table by its number. */
  readonly tables: ReadonlyMap<number, number>;
  /** The oldest log that is not in the tables. */
  readonly logNumber: number;
  readonly previousLogNumber: number;
  /** The number of the last write when the manifest was written last. */
  readonly lastSequence: number;
}

interface Edits {
  readonly tables: Map<number, number>;
  logNumber: number;
  previousLogNumber: number;
  lastSequence: number;
}

/** @throws {Damage} if it is not whole */
export function readManifest(file: Buffer): Manifest {
  const { records, isCut } = logRecords(file);
  // LevelDB syncs each record before it relies on it; a crash between is told from damage by no one, so it is not tried.
  if (isCut) throw new Damage("the manifest is cut short");
  const edits: Edits = { tables: new Map(), logNumber: 0, previousLogNumber: 0, lastSequence: 0 };
  for (const record of records) {
    const cursor = new ByteCursor(record);
    while (!cursor.isAtEnd) readField(cursor, edits);
  }
  if (edits.logNumber === 0) throw new Damage("the manifest names no log");
  return edits;
}

function readField(cursor: ByteCursor, edits: Edits): void {
  const tag = cursor.varint();
  if (tag === 1) cursor.text();
  else if (tag === 2) edits.logNumber = cursor.varint();
  else if (tag === 3) cursor.varint();
  else if (tag === 4) edits.lastSequence = cursor.varint();
  else if (tag === 5) readCompactPointer(cursor);
  else if (tag === 6) readDeleted(cursor, edits);
  else if (tag === 7) readAdded(cursor, edits);
  else if (tag === 9) edits.previousLogNumber = cursor.varint();
  else throw new Damage("the manifest has an edit of no known kind");
}

function readCompactPointer(cursor: ByteCursor): void {
  cursor.varint();
  cursor.text();
}

/** Comes before what the same edit adds: a table that moves to another level is removed and added. */
function readDeleted(cursor: ByteCursor, edits: Edits): void {
  cursor.varint();
  edits.tables.delete(cursor.varint());
}

function readAdded(cursor: ByteCursor, edits: Edits): void {
  cursor.varint();
  const number = cursor.varint();
  edits.tables.set(number, cursor.varint());
  cursor.text();
  cursor.text();
}

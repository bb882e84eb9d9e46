/**
 * The right to change what a scope has, as a row of its own: whoever takes over deletes the row, and no later commit of the old owner finds it.
 *
 * Invariants:
 * - Each change is one transaction that counts `seq` up by one, under the condition that owner, fence and `seq` are as this handle knows them.
 *   A server that has lost a change (a stale standby that was promoted) is found out by that, and so is one that has forgotten the owner.
 * - That update comes behind all changes of entries, so that the row is locked for a moment only, and before those of the marks: whoever
 *   takes over locks the same rows in the same order.
 * - After a commit of unknown outcome nothing else is done before the row was read: locked, so that a commit under way has ended.
 */

import { type Fence, hasCode, type KeyGroups, StateBackendError, type TaskScope } from "@tidemark/core";
import { labelOf, type Session, UnknownOutcome } from "./database.js";
import { multirange } from "./group-marks.js";
import { endSessions } from "./hanging-sessions.js";
import type { Place } from "./place.js";
import { isLockTimeout } from "./postgres-error.js";
import { scopeDigest, scopeRow } from "./scope-row.js";

/** Which row of the table of owners. */
export interface OwnerRow {
  readonly scopeId: string;
  readonly ownerId: string;
  readonly nonce: Buffer;
  readonly epoch: string;
}

export class ScopeOwner {
  readonly row: OwnerRow;
  readonly #place: Place;
  #seq = 0;
  #isUncertain = false;

  private constructor(place: Place, row: OwnerRow) {
    this.#place = place;
    this.row = row;
  }

  /** Fences whoever has key groups of `scope` open, and does `work` in the same transaction. */
  static async takeOver(
    place: Place,
    scope: TaskScope,
    fence: Fence,
    work: (session: Session, scopeId: string) => Promise<void>,
  ): Promise<ScopeOwner> {
    const take = (): Promise<readonly [OwnerRow, readonly string[]]> =>
      place.database.transaction({ doing: "Opening the store" }, async (session) => {
        const scopeId = await scopeRow(session, place.tables, scope);
        const taken = await replaceOwners(session, place, { scopeId, fence, groups: scope.groups });
        await work(session, scopeId);
        return taken;
      });
    let taken: readonly [OwnerRow, readonly string[]];
    try {
      taken = await take();
    } catch (error) {
      if (error instanceof UnknownOutcome) throw unknownOpen(error);
      if (!isLockTimeout(error)) throw error;
      // An owner stands still within a transaction, with the row locked.
      await endHanging(place, await ownersOf(place, scope));
      taken = await take();
    }
    const [row, rivals] = taken;
    if (rivals.length > 0) await endHanging(place, rivals);
    return new ScopeOwner(place, row);
  }

  /** The least `seq` that a server which has lost nothing knows of. */
  get seq(): number {
    return this.#seq;
  }

  /**
   * Does `change` and then `mark` in one transaction, if this is still the owner. `change` may be called again.
   * @throws {StateBackendError} FENCED if it is not
   */
  async change(
    doing: string,
    change: (session: Session) => Promise<void>,
    mark: (session: Session) => Promise<void>,
  ): Promise<void> {
    const { database, tables } = this.#place;
    const { ownerId, nonce, epoch } = this.row;
    if (this.#isUncertain) await this.#settle();
    const next = this.#seq + 1;
    try {
      await database.transaction({ doing, label: labelOf(ownerId) }, async (session) => {
        await change(session);
        const { count } = await session.query(
          `UPDATE ${tables.owner} SET seq = $1 WHERE owner_id = $2 AND epoch = $3 AND nonce = $4 AND seq = $5`,
          [next, ownerId, epoch, nonce, this.#seq],
        );
        if (count !== 1) throw fenced();
        await mark(session);
      });
    } catch (error) {
      if (!(error instanceof UnknownOutcome)) throw await this.#explained(error);
      this.#isUncertain = true;
      await this.#settle();
      if (this.#seq !== next) throw notCommitted(doing, error);
      return;
    }
    this.#seq = next;
  }

  /**
   * What the server says of the owner's row, in the same statement as what was read.
   * @throws {StateBackendError} FENCED if there is none, or one that knows less than the server acknowledged
   */
  check(seq: string | null | undefined, seqBefore: number): void {
    if (seq === undefined || seq === null || Number(seq) < seqBefore) throw fenced();
  }

  /** Finds out how far the server is. */
  async #settle(): Promise<void> {
    const { database, tables } = this.#place;
    let seq: number | undefined;
    try {
      seq = await database.transaction({ doing: "Asking for the outcome" }, async (session) => {
        const { rows } = await session.query(
          `SELECT seq::text FROM ${tables.owner} WHERE owner_id = $1 AND epoch = $2 AND nonce = $3 FOR UPDATE`,
          [this.row.ownerId, this.row.epoch, this.row.nonce],
        );
        return rows[0] === undefined ? undefined : Number(rows[0][0]);
      });
    } catch (error) {
      const code = hasCode(error, "UNAVAILABLE") || error instanceof UnknownOutcome ? "UNAVAILABLE" : undefined;
      if (code === undefined) throw error;
      throw new StateBackendError(
        code,
        "The connection was lost while it committed, and the outcome cannot be told yet. Repeat the call.",
        {
          outcome: "unknown",
          cause: error,
        },
      );
    }
    if (seq !== this.#seq && seq !== this.#seq + 1) throw fenced();
    this.#seq = seq;
    this.#isUncertain = false;
  }

  /** Whoever is fenced may hear of it first by a connection that was ended, or a lock that was not given. */
  async #explained(error: unknown): Promise<unknown> {
    if (!hasCode(error, "UNAVAILABLE")) return error;
    const { database, tables } = this.#place;
    try {
      const { count } = await database.read(
        "Looking who has the store",
        `SELECT 1 FROM ${tables.owner} WHERE owner_id OPERATOR(pg_catalog.=) $1 AND nonce OPERATOR(pg_catalog.=) $2`,
        [this.row.ownerId, this.row.nonce],
      );
      return count === 0 ? fenced(error) : error;
    } catch {
      // The first error says more.
      return error;
    }
  }
}

interface Takeover {
  readonly scopeId: string;
  readonly fence: Fence;
  readonly groups: KeyGroups;
}

async function replaceOwners(
  session: Session,
  { tables }: Place,
  { scopeId, fence, groups }: Takeover,
): Promise<readonly [OwnerRow, readonly string[]]> {
  const nonce = Buffer.from(fence.nonce, "hex");
  const epoch = String(fence.epoch);
  const mine = [scopeId, multirange(groups), epoch, nonce];
  const gone = await session.query(
    `DELETE FROM ${tables.owner} WHERE scope_id = $1 AND groups && $2::int4multirange AND NOT (epoch = $3 AND nonce = $4)
     RETURNING owner_id::text`,
    mine,
  );
  const added = await session.query(
    `INSERT INTO ${tables.owner} (scope_id, groups, epoch, nonce, seq) VALUES ($1, $2::int4multirange, $3, $4, 0)
     RETURNING owner_id::text`,
    mine,
  );
  const ownerId = added.rows[0]?.[0] as string;
  return [{ scopeId, ownerId, epoch, nonce }, gone.rows.map(([rival]) => rival as string)];
}

async function ownersOf({ database, tables }: Place, scope: TaskScope): Promise<readonly string[]> {
  const { rows } = await database.read(
    "Looking who has the store",
    `SELECT owner_id::pg_catalog.text FROM ${tables.owner} owner JOIN ${tables.scope} scope ON scope.scope_id OPERATOR(pg_catalog.=) owner.scope_id
     WHERE scope.digest OPERATOR(pg_catalog.=) $1 AND owner.groups OPERATOR(pg_catalog.&&) $2::pg_catalog.int4multirange`,
    [scopeDigest(scope), multirange(scope.groups)],
  );
  return rows.map(([owner]) => owner as string);
}

/** Ends transactions of owners that stand still. */
function endHanging(place: Place, owners: readonly string[]): Promise<void> {
  return endSessions(place, owners.map(labelOf), { onlyIdle: true });
}

function fenced(cause?: unknown): Error {
  return new StateBackendError(
    "FENCED",
    "Another task has taken the store over, or the server has lost what it acknowledged. Stop this task, and open it again if it was alone.",
    cause === undefined ? {} : { cause },
  );
}

function notCommitted(doing: string, cause: unknown): Error {
  return new StateBackendError(
    "UNAVAILABLE",
    `${doing} failed: the connection was lost before it committed. Repeat the call.`,
    { cause },
  );
}

function unknownOpen(cause: unknown): Error {
  return new StateBackendError("UNAVAILABLE", "The connection was lost while the store was opened. Open it again.", {
    cause,
    outcome: "unknown",
  });
}

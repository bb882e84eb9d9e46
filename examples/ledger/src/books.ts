/**
 * The books: tables of the user's own, without any key that would find a row that is there twice, and balances that are added to.
 * Whatever is written twice, or not at all, stays wrong.
 */

import type { PostgresTransaction } from "@tidemark/postgres";
import pg from "pg";
import { type Booking, changesOf } from "./bookings.js";

export interface Books {
  /** As the tables have them, in any order. */
  readonly bookings: readonly Booking[];
  readonly balances: ReadonlyMap<string, number>;
}

/** Writes bookings, and what they change, within the transaction of a checkpoint. */
export async function writeBookings(
  client: PostgresTransaction,
  schema: string,
  bookings: readonly Booking[],
): Promise<void> {
  const column = <Name extends keyof Booking>(name: Name): Booking[Name][] => bookings.map((booking) => booking[name]);
  await client.query(
    `INSERT INTO "${schema}".booking SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[])`,
    [column("flight"), column("debit"), column("credit"), column("cents")],
  );
  const changes = [...changesOf(bookings)];
  await client.query(
    `INSERT INTO "${schema}".balance SELECT * FROM unnest($1::text[], $2::bigint[])
     ON CONFLICT (account) DO UPDATE SET cents = balance.cents + excluded.cents`,
    [changes.map(([account]) => account), changes.map(([, cents]) => cents)],
  );
}

export async function createBooks(url: string, schema: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`CREATE SCHEMA "${schema}"`);
    await client.query(`CREATE TABLE "${schema}".booking (flight int, debit text, credit text, cents bigint)`);
    await client.query(`CREATE TABLE "${schema}".balance (account text PRIMARY KEY, cents bigint)`);
  });
}

export async function readBooks(url: string, schema: string): Promise<Books> {
  return withClient(url, async (client) => {
    type Row = Omit<Booking, "cents"> & { readonly cents: string };
    const bookings = await client.query<Row>(`SELECT flight, debit, credit, cents FROM "${schema}".booking`);
    const balances = await client.query<{ readonly account: string; readonly cents: string }>(
      `SELECT account, cents FROM "${schema}".balance`,
    );
    return {
      bookings: bookings.rows.map((row) => ({ ...row, cents: Number(row.cents) })),
      balances: new Map(balances.rows.map(({ account, cents }) => [account, Number(cents)])),
    };
  });
}

export async function dropSchemas(url: string, schemas: readonly string[]): Promise<void> {
  await withClient(url, async (client) => {
    for (const schema of schemas) await client.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
  });
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

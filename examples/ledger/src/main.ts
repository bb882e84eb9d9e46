/** Keeps books of 20,000 flights in a database, is killed 20 times, and compares the tables with a plain computation. */

import { parseArgs } from "node:util";
import { digestOf, readDepartures } from "@tidemark-examples/data";
import { startPostgres } from "../../../scripts/services/postgres.mjs";
import { bookingOf, changesOf } from "./bookings.js";
import { createBooks, dropSchemas, readBooks } from "./books.js";
import { openLedger } from "./ledger.js";
import { runWorkers } from "./run-workers.js";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "20" },
    seed: { type: "string", default: "2001" },
    url: { type: "string", default: process.env["TIDEMARK_POSTGRES_URL"] ?? "" },
  },
});

const dollars = (cents: number): string => (cents / 100).toFixed(2);

/** What the state has, per account. */
async function stateOf(url: string, schema: string): Promise<ReadonlyMap<string, number>> {
  const task = await openLedger(url, schema);
  const balances = new Map<string, number>();
  for await (const account of task.balance.keys()) balances.set(account, await task.balance.get(account));
  await task.close();
  return balances;
}

/** Whether tables and state are those of a plain computation. */
async function compare(url: string, stateSchema: string, booksSchema: string): Promise<boolean> {
  const expected = (await readDepartures()).map(bookingOf);
  const { bookings, balances } = await readBooks(url, booksSchema);
  const total = [...balances.values()].reduce((sum, cents) => sum + cents, 0);
  const turnover = bookings.reduce((sum, { cents }) => sum + cents, 0);
  const rows = (all: typeof bookings): unknown[] =>
    all.map(({ flight, debit, credit, cents }) => [flight, debit, credit, cents]);
  const found = [rows(bookings), balances, await stateOf(url, stateSchema)].map((each) => digestOf(each));
  const wanted = [rows(expected), changesOf(expected), changesOf(expected)].map((each) => digestOf(each));
  console.log(`${bookings.length} bookings on ${balances.size} accounts, turnover ${dollars(turnover)}`);
  console.log(`all balances together: ${dollars(total)}`);
  const isSame = total === 0 && found.join() === wanted.join();
  console.log(isSame ? `ledger: match ${found.join(" ")}` : `ledger: DIFFER ${found.join()} expected ${wanted.join()}`);
  return isSame;
}

const kills = { kills: Number(values.kills), seed: Number(values.seed) };
const server = values.url === "" ? await startPostgres() : undefined;
const url = server?.url ?? values.url;
const [stateSchema, booksSchema] = [`ledger_${process.pid}_state`, `ledger_${process.pid}_books`] as const;
try {
  await createBooks(url, booksSchema);
  const moments = await runWorkers(url, { stateSchema, booksSchema }, kills);
  console.log(`killed ${moments.length} times with SIGKILL: ${moments.join(" ")}`);
  const isSame = await compare(url, stateSchema, booksSchema);
  process.exitCode = isSame && moments.length === kills.kills ? 0 : 1;
} finally {
  if (server === undefined) await dropSchemas(url, [stateSchema, booksSchema]);
  await server?.stop();
}

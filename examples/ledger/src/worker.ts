/** A process that keeps the books until the input ends, or it is killed. It tells its parent what it is about to do. */

import { readDepartures } from "@tidemark-examples/data";
import { type Booking, bookingOf, changesOf } from "./bookings.js";
import { writeBookings } from "./books.js";
import { type LedgerTask, openLedger } from "./ledger.js";

const BATCH = 50;
const CHECKPOINT_EVERY = 200;

export interface WorkerSettings {
  readonly stateSchema: string;
  readonly booksSchema: string;
}

type Moment = "restored" | "booked" | "writing" | "written" | "completed";

const tell = (moment: Moment): void => void process.send?.(moment);

/** Reads the balances of a batch in one statement, then changes them and the position in one turn of the event loop. */
async function book(task: LedgerTask, bookings: readonly Booking[]): Promise<void> {
  const changes = [...changesOf(bookings)];
  const balances = await Promise.all(changes.map(([account]) => task.balance.get(account)));
  for (const [i, [account, cents]] of changes.entries()) task.balance.set(account, (balances[i] ?? 0) + cents);
  task.position.set([bookings.at(-1)?.flight ?? 0]);
}

async function run(url: string, { stateSchema, booksSchema }: WorkerSettings): Promise<void> {
  const bookings = (await readDepartures()).map(bookingOf);
  const task = await openLedger(url, stateSchema);
  tell("restored");
  let written = task.position.get()[0] ?? 0;
  for (let start = written; start < bookings.length; start += BATCH) {
    const batch = bookings.slice(start, start + BATCH);
    await book(task, batch);
    tell("booked");
    const end = start + batch.length;
    if (end % CHECKPOINT_EVERY > 0 && end < bookings.length) continue;
    await task.checkpoint({
      async transaction(client) {
        tell("writing");
        await writeBookings(client, booksSchema, bookings.slice(written, end));
        tell("written");
      },
    });
    written = end;
    tell("completed");
  }
  await task.close();
}

const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;
await run(process.env["LEDGER_URL"] ?? "", settings);
process.disconnect();

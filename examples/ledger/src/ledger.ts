/** The job: balances of all accounts, and how far the input has been read. */

import { defineOperator, integer, openTask, splitList, string, value } from "@tidemark/core";
import { postgres } from "@tidemark/postgres";

const ledger = defineOperator("ledger", {
  key: string(),
  states: { balance: value({ codec: integer(), default: 0 }), position: splitList<number>() },
});

export function openLedger(url: string, schema: string) {
  return openTask(ledger, { job: "ledger", backend: postgres({ url, schema }) });
}

export type LedgerTask = Awaited<ReturnType<typeof openLedger>>;

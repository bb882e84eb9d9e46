/** An owner in a process of its own: counts up as fast as it can, with a checkpoint after each hundred, and says so. Arguments: url, directory. */

import { defineOperator, openTask, splitList, string, value } from "@tidemark/core";
import { directory } from "@tidemark/filesystem";
import { redis } from "../../dist/index.js";

const [url, path] = process.argv.slice(2);
const counts = defineOperator("counts", {
  key: string(),
  states: { n: value({ default: 0 }), position: splitList() },
});

try {
  const task = await openTask(counts, { job: "zombie", backend: redis({ url, checkpoints: directory(path) }) });
  for (;;) {
    const first = task.position.get()[0] ?? 0;
    const records = Array.from({ length: 100 }, (_, index) => first + index);
    await task.process(
      records,
      (record) => `key ${record % 37}`,
      async (_, key) => task.n.set(key, (await task.n.get(key)) + 1),
      { admitted: (record) => task.position.set([record + 1]) },
    );
    await task.checkpoint();
    process.send({ position: first + 100 });
  }
} catch (error) {
  process.send({ code: error.code ?? error.stack }, () => process.disconnect());
}

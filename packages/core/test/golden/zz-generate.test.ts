import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "vitest";
import { objectsOf } from "../support/objects.js";
import { runGolden } from "./history.js";
test("generate", async () => {
  for (const [name, job, c] of [["none","golden","none"],["deflate","Golden: ä\0😀","deflate"]] as const) {
    const made = await runGolden(job, c);
    for (const [part, s] of [["place", made.storage],["savepoint", made.savepoint]] as const)
      for (const [o, b] of await objectsOf(s)) { const p = join(import.meta.dirname,"v1",name,part,`${o}.bin`); mkdirSync(dirname(p),{recursive:true}); writeFileSync(p,b); }
  }
});

/** T3: a write that is refused has changed nothing, also where a codec of one's own refuses only when the value is encoded. */

import { describe, expect, test } from "vitest";
import { codec, defineOperator, list, map, memoryStorage, namespaced, openTask, string, value } from "../src/index.js";

/** Breaks the rule that `own` checks everything: what it cannot encode is found out when a value is encoded for its size. */
const careless = codec<string>({
  id: "careless",
  version: 1,
  own: (text) => text,
  encode(text) {
    if (text === "refused") throw new TypeError("No.");
    return Buffer.from(text);
  },
  decode: (bytes) => Buffer.from(bytes).toString(),
});

const operator = defineOperator("o", {
  key: string(),
  states: {
    one: value({ codec: careless }),
    many: list({ codec: careless }),
    fields: map<string, string>({ codec: careless }),
    inside: namespaced(string(), list({ codec: careless })),
  },
});

type Opened = Awaited<ReturnType<typeof open>>;

async function open() {
  return openTask(operator, { job: "j", backend: { name: "m", sync: true, checkpoints: memoryStorage() } });
}

const contents = ({ one, many, fields, inside }: Opened): unknown => [
  one.getSync("k"),
  many.getSync("k"),
  [...fields.entriesSync("k")],
  inside.in("a").getSync("k"),
  inside.in("b").getSync("k"),
];

const writes: Record<string, (task: Opened) => void> = {
  "value.set": ({ one }) => one.set("k", "refused"),
  "list.addAll": ({ many }) => many.addAll("k", ["x", "refused", "y"]),
  "list.set": ({ many }) => many.set("k", ["x", "refused", "y"]),
  "map.set": ({ fields }) => fields.set("k", "f", "refused"),
  "map.setAll": ({ fields }) =>
    fields.setAll("k", [
      ["f", "x"],
      ["g", "refused"],
      ["h", "y"],
    ]),
  mergeNamespaces: ({ inside }) => inside.mergeNamespacesSync("k", "a", ["b"]),
};

describe.each(Object.entries(writes))("T3 T34 %s", (name, write) => {
  test("changes all or, if a value cannot be encoded, nothing, wherever the sampling stands", async () => {
    let refusals = 0;
    for (let before = 0; before < 130; before++) {
      const task = await open();
      for (let i = 0; i < before; i++) {
        task.one.set("k", `${i}`);
        task.many.add("k", `${i}`);
        task.fields.set("k", "f", `${i}`);
        task.inside.in("a").add("k", `${i}`);
      }
      if (name === "mergeNamespaces") {
        try {
          task.inside.in("b").addAll("k", ["x", "refused", "y"]);
        } catch {
          continue;
        }
      }
      const kept = contents(task);
      try {
        write(task);
        expect(contents(task)).not.toEqual(kept);
      } catch (error) {
        expect(error).toMatchObject({ code: "VALUE_INVALID" });
        expect(contents(task)).toEqual(kept);
        refusals++;
      }
    }
    expect(refusals).toBeGreaterThan(0);
  });
});

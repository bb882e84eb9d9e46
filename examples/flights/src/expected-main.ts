/** A process of its own for the plain computation: takes the options, sends the digest. */

import { type ExpectedWork, expectedState } from "./expected-state.js";
import { digestState } from "./state-digest.js";

const digest = digestState(await expectedState(JSON.parse(process.argv[2] ?? "") as ExpectedWork));
process.send?.(digest, () => process.disconnect());
process.on("disconnect", () => process.exit());

/** A process of its own for the plain computation: takes the number of events, sends the digest. */

import { expectedState } from "./expected-state.js";
import { digestState } from "./state-digest.js";

const digest = digestState(await expectedState(Number(process.argv[2])));
process.send?.(digest, () => process.disconnect());
process.on("disconnect", () => process.exit());

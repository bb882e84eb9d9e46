/** A worker that is killed, but not by its parent. */

import { processFlights } from "../dist/process-flights.js";
import { serve } from "../dist/worker.js";

await serve(async (task, settings, observer) => {
  await processFlights(task, settings, observer);
  process.kill(process.pid, "SIGKILL");
});

/** A worker that fails after its restore. */

import { processFlights } from "../dist/process-flights.js";
import { serve } from "../dist/worker.js";

await serve((task, settings, observer) => {
  if (task.restoredFrom !== undefined) throw new Error("The disk is on fire.");
  return processFlights(task, settings, observer);
});

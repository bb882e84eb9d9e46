/** A worker that restores wrongly: it takes the last flight before the checkpoint once more, as at-least-once would. */

import { processFlights } from "../dist/process-flights.js";
import { serve } from "../dist/worker.js";

await serve((task, settings, observer) => {
  const [position = 0] = task.position.get();
  if (task.restoredFrom !== undefined) task.position.set([position - 1]);
  return processFlights(task, settings, observer);
});

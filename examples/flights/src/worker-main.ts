/** Entry of the worker process. */

import { processFlights } from "./process-flights.js";
import { serve } from "./worker.js";

await serve(processFlights);

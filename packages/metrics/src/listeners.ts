/** Subscriptions to Tidemark's channels, with the message type of each. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { TelemetryMessages } from "@tidemark/core";

/** What is done with the messages of some channels. */
export type Listeners = { readonly [Name in keyof TelemetryMessages]?: (message: TelemetryMessages[Name]) => void };

/** Subscribes; the result ends all subscriptions. */
export function listen(listeners: Listeners): () => void {
  const entries = Object.entries(listeners).map(([name, listener]) => {
    const onMessage = (message: unknown): void => (listener as (message: unknown) => void)(message);
    subscribe(name, onMessage);
    return { name, onMessage };
  });
  return () => {
    for (const { name, onMessage } of entries.splice(0)) unsubscribe(name, onMessage);
  };
}

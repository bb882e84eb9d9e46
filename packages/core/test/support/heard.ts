/** Messages of Tidemark's channels, as they come. */

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import type { TelemetryMessages } from "../../src/index.js";

type Name = keyof TelemetryMessages;

export interface Heard {
  readonly name: Name;
  readonly message: Readonly<Record<string, unknown>>;
}

/** Listens until the test has finished. */
export function hear(...names: Name[]): Heard[] {
  const heard: Heard[] = [];
  for (const name of names) {
    const listener = (message: unknown): void => {
      heard.push({ name, message: message as Heard["message"] });
    };
    subscribe(name, listener);
    onTestFinished(() => {
      unsubscribe(name, listener);
    });
  }
  return heard;
}

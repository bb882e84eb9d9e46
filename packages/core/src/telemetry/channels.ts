/** The channels, held for as long as core is loaded: a channel that nobody holds loses its subscribers. */

import { type Channel, channel } from "node:diagnostics_channel";
import type { TelemetryMessages } from "./messages.js";

type ChannelName = keyof TelemetryMessages;

const CHANNELS: Readonly<Record<ChannelName, Channel>> = Object.freeze({
  "tidemark:checkpoint:start": channel("tidemark:checkpoint:start"),
  "tidemark:checkpoint:end": channel("tidemark:checkpoint:end"),
  "tidemark:checkpoint:subsumed": channel("tidemark:checkpoint:subsumed"),
  "tidemark:restore": channel("tidemark:restore"),
  "tidemark:state:access": channel("tidemark:state:access"),
  "tidemark:memory": channel("tidemark:memory"),
});

export function isHeard(name: ChannelName): boolean {
  return CHANNELS[name].hasSubscribers;
}

/**
 * Publishes what `message` makes, if anyone listens. Never throws: an error of a subscriber is an uncaught exception of the
 * process, after the current operation (that is how `diagnostics_channel` has it).
 */
export function publish<Name extends ChannelName>(name: Name, message: () => TelemetryMessages[Name]): void {
  const target = CHANNELS[name];
  if (target.hasSubscribers) target.publish(Object.freeze(message()));
}

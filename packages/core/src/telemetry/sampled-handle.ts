/**
 * A handle that measures some of its calls and passes all of them on. It stands in place of the handle, so that a handle that
 * nobody listens to has nothing in it for this.
 *
 * Invariants:
 * - What a call gives or throws is what the handle gives or throws.
 * - Each operation of a state counts for itself: a program that reads and writes in turn has samples of both.
 */

import type { Clock } from "../contracts/clock.js";
import { publish } from "./channels.js";

/** Of so many calls of an operation one is measured, the first of them. A power of two. */
const SAMPLED_ONE_IN = 64;
/** They give an iterable, and the work is done when that is iterated. */
const ENUMERATION = /^(keys|entries|values|fields)/;

export interface SampledState {
  readonly job: string;
  readonly operator: string;
  readonly state: string;
  readonly clock: Clock;
}

type Method = (...args: unknown[]) => unknown;

/** `handle`, sampled. Its namespaces share their samples. */
export function sampledHandle(handle: object, of: SampledState): object {
  return wrapped(handle, new Sampler(of));
}

function wrapped(handle: object, sampler: Sampler): object {
  const outer: object = {};
  for (const name of methodNames(handle)) {
    const method = (handle as Record<string, Method>)[name] as Method;
    Object.defineProperty(outer, name, { value: passedOn(name, method.bind(handle), sampler), enumerable: true });
  }
  return Object.freeze(outer);
}

function passedOn(name: string, method: Method, sampler: Sampler): Method {
  if (ENUMERATION.test(name)) return method;
  if (name === "in") return (...args) => wrapped(method(...args) as object, sampler);
  return (...args) => sampler.call(name, method, args);
}

class Sampler {
  readonly #of: SampledState;
  readonly #counts = new Map<string, number>();

  constructor(of: SampledState) {
    this.#of = of;
  }

  call(operation: string, method: Method, args: readonly unknown[]): unknown {
    const count = this.#counts.get(operation) ?? 0;
    this.#counts.set(operation, (count + 1) % SAMPLED_ONE_IN);
    if (count !== 0) return method(...args);
    const started = this.#of.clock.monotonic();
    const ended = (): void => this.#publish(operation, started);
    let result: unknown;
    try {
      result = method(...args);
    } catch (error) {
      ended();
      throw error;
    }
    if (result instanceof Promise) void result.then(ended, ended);
    else ended();
    return result;
  }

  #publish(operation: string, startedMs: number): void {
    const { job, operator, state, clock } = this.#of;
    const durationNs = Math.round((clock.monotonic() - startedMs) * 1e6);
    publish("tidemark:state:access", () => ({ job, operator, state, operation, durationNs }));
  }
}

/** Names of all methods, own and inherited. */
function methodNames(handle: object): Set<string> {
  const names = new Set<string>();
  for (let at = handle; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) if (name !== "constructor") names.add(name);
  }
  return names;
}

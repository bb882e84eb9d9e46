/** Progress for a person: a bar on a terminal, few lines elsewhere. */

import cliProgress, { type MultiBar, type SingleBar } from "cli-progress";
import { formatCount } from "./format.js";

const LINES_PER_RUN = 10;

export interface KillNotice {
  readonly number: number;
  readonly total: number;
  readonly what: "process" | "task";
  readonly position: number;
  readonly during: "processing" | "upload" | "end";
}

const DURING = {
  processing: "while it processed",
  upload: "while it uploaded a checkpoint",
  end: "after the last checkpoint",
} as const;

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #total: number;
  readonly #bars: MultiBar | undefined;
  readonly #bar: SingleBar | undefined;
  #linesDone = 0;

  constructor(stream: NodeJS.WriteStream, total: number) {
    this.#stream = stream;
    this.#total = total;
    if (!stream.isTTY) return;
    const format = "{bar} {percentage} %  {value} of {total} flights";
    const options = { stream, format, formatValue: formatNumber, gracefulExit: false, forceRedraw: true };
    this.#bars = new cliProgress.MultiBar(options, cliProgress.Presets.shades_classic);
    this.#bar = this.#bars.create(total, 0);
  }

  moved(position: number): void {
    this.#bar?.update(position);
    if (this.#bar !== undefined) return;
    const lines = Math.floor((position / this.#total) * LINES_PER_RUN);
    if (lines <= this.#linesDone) return;
    this.#linesDone = lines;
    const percentage = Math.floor((position / this.#total) * 100);
    this.#say(`${String(percentage).padStart(3)} %  ${formatCount(position)} of ${formatCount(this.#total)} flights`);
  }

  killed({ number, total, what, position, during }: KillNotice): void {
    const how = what === "process" ? "killed the process with SIGKILL" : "abandoned the task";
    this.#say(`kill ${number} of ${total}: ${how} at flight ${formatCount(position)}, ${DURING[during]}`);
  }

  restored(checkpoint: number, position: number): void {
    this.#say(`restored checkpoint ${checkpoint}: continues at flight ${formatCount(position)}`);
  }

  stop(): void {
    this.#bars?.stop();
  }

  #say(line: string): void {
    if (this.#bars === undefined) this.#stream.write(`${line}\n`);
    else this.#bars.log(`${line}\n`);
  }
}

function formatNumber(number: number, _options: unknown, type: string): string {
  return type === "percentage" ? String(number).padStart(3) : formatCount(number);
}

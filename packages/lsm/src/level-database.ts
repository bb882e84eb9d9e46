/** The shape of an abstract-level database that a store uses: `Level`, `ClassicLevel`, or one of your own. */

/** How keys and values come out, whatever the database's own encodings are. */
export interface TextOptions {
  readonly keyEncoding: "utf8";
  readonly valueEncoding: "utf8";
}

/** How they go in. */
export interface BytesOptions {
  readonly keyEncoding?: "buffer";
  readonly valueEncoding?: "buffer";
}

export interface TextRange extends TextOptions {
  readonly gte: string;
  readonly lt: string;
}

/** A database as the user has it. Results are typed loosely, so that databases of any encoding fit. */
export interface LevelDatabase {
  readonly status: string;
  readonly supports: { readonly getSync?: boolean; readonly additionalMethods?: unknown };
  open(): Promise<void>;
  getMany(keys: string[], options: TextOptions): Promise<unknown[]>;
  getSync(key: string, options: TextOptions): unknown;
  batch(): LevelBatch;
  clear(range: TextRange): Promise<void>;
  keys(range: TextRange & { readonly highWaterMarkBytes: number }): LevelIterator;
  iterator(range: TextRange & { readonly highWaterMarkBytes: number }): LevelIterator;
}

export interface LevelBatch {
  readonly length: number;
  put(key: Uint8Array, value: Uint8Array, options: BytesOptions): unknown;
  del(key: Uint8Array, options: BytesOptions): unknown;
  write(options: { readonly sync: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface LevelIterator {
  nextv(size: number): Promise<unknown[]>;
  close(): Promise<void>;
}

/** A database that the store opened itself, and closes. */
export interface OwnLevelDatabase extends LevelDatabase {
  close(): Promise<void>;
}

export const TEXT: TextOptions = Object.freeze({ keyEncoding: "utf8", valueEncoding: "utf8" });

/** For databases whose own encodings are bytes: what is not named at each call is not looked up at each call. */
export const OWN_BYTES: BytesOptions = Object.freeze({});

export const BYTES: BytesOptions = Object.freeze({ keyEncoding: "buffer", valueEncoding: "buffer" });

/** The key codecs of Tidemark. @see docs/formats.md#keys */

export { bigint } from "./bigint-key.js";
export { bytes } from "./bytes-key.js";
export { type KeyEncoding, keyCodec, type KeyOf } from "./key-codec.js";
export { number } from "./number-key.js";
export { scalar, type ScalarKey } from "./scalar-key.js";
export { string } from "./string-key.js";
export { tuple } from "./tuple-key.js";

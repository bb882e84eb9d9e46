/**
 * The repository's own rules, for one file at a time.
 *
 * Invariants:
 * - Pure: a path and a text give a list of violations. Nothing is read here.
 * - Rules look at the syntax tree, so that strings and comments never match.
 */

import { builtinModules } from "node:module";
import { posix } from "node:path";
import ts from "typescript";
import {
  bannedNames,
  bannedProperties,
  builtinOwners,
  clockFile,
  coreLayers,
  lineCountMax,
  packageFolders,
  publicSubpaths,
  servicesFolder,
  workspaceImports,
  importsByPath,
} from "./tidy-tables.mjs";

/** `[{ path, line, rule, message }]` for the file at `path`, relative to the root, with forward slashes. */
export function violationsOf(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const file = { path, text, source, nodes: nodesOf(source), ...placeOf(path) };
  return rules.flatMap(({ name, applies, find }) =>
    applies(file) ? find(file).map(({ at, message }) => ({ path, line: lineOf(source, at), rule: name, message })) : [],
  );
}

const rules = [
  { name: "file-name", applies: () => true, find: findFileName },
  { name: "line-count", applies: ({ isTest }) => !isTest, find: findTooManyLines },
  { name: "unfinished", applies: () => true, find: findUnfinished },
  { name: "skipped-test", applies: ({ isTest }) => isTest, find: findSkippedTests },
  { name: "any", applies: ({ isTypeScript }) => isTypeScript, find: findAny },
  { name: "default-export", applies: ({ isLibrary }) => isLibrary, find: findDefaultExports },
  {
    name: "workspace-import",
    applies: ({ folder, path }) => folder !== undefined && !importsByPath.has(path),
    find: findWorkspaceImports,
  },
  { name: "core-layer", applies: ({ folder, isTest }) => folder === "packages/core" && !isTest, find: findLayers },
  {
    name: "core-dependency",
    applies: ({ folder, isTest }) => folder === "packages/core" && !isTest,
    find: findForeign,
  },
  { name: "builtin-owner", applies: ({ isTest }) => !isTest, find: findOwnedBuiltins },
  { name: "clock", applies: (file) => file.isLibrary && !file.isTest && file.path !== clockFile, find: findClock },
];

function placeOf(path) {
  const folder = /^(packages\/[^/]+|examples\/[^/]+|conformance|benchmarks)\//.exec(path)?.[1];
  return {
    folder,
    isTest: /\.test\.(ts|mjs)$/.test(path) || (folder !== undefined && path.startsWith(`${folder}/test/`)),
    isTypeScript: path.endsWith(".ts"),
    isLibrary: folder !== undefined && (folder.startsWith("packages/") || folder === "conformance"),
  };
}

function findFileName({ path }) {
  const isKebabCase = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config))?\.(ts|mjs|js)$/.test(posix.basename(path));
  return isKebabCase ? [] : [{ at: 0, message: "The name of a file is in kebab-case." }];
}

function findTooManyLines({ text, source }) {
  const count = source.getLineAndCharacterOfPosition(text.trimEnd().length).line + 1;
  return count <= lineCountMax ? [] : [{ at: 0, message: `Split this file. lines=${count} max=${lineCountMax}.` }];
}

function findUnfinished(file) {
  const marks = /\b(TODO|FIXME|XXX|HACK)\b/;
  return commentsOf(file)
    .filter(({ text }) => marks.test(text))
    .map(({ at }) => ({ at, message: "Finish it, or leave it out." }));
}

function findSkippedTests(file) {
  const { nodes, source } = file;
  const commented = new Set(commentsOf(file).map(({ end }) => lineOf(source, end)));
  const calls = nodes.filter(
    (node) =>
      ts.isPropertyAccessExpression(node) &&
      ts.isIdentifier(node.expression) &&
      ["test", "it", "describe", "suite"].includes(node.expression.text),
  );
  return calls.flatMap((node) => {
    const at = node.getStart();
    const line = lineOf(source, at);
    if (node.name.text === "only") return [{ at, message: "`only` hides the other tests." }];
    const skips = ["skip", "skipIf", "runIf", "todo", "fails"].includes(node.name.text);
    const hasReason = commented.has(line) || commented.has(line - 1);
    return skips && !hasReason ? [{ at, message: "A comment on the line above says why this test is skipped." }] : [];
  });
}

function findAny({ nodes }) {
  return nodes
    .filter((node) => node.kind === ts.SyntaxKind.AnyKeyword)
    .map((node) => ({ at: node.getStart(), message: "Use `unknown`, or the type it has." }));
}

function findDefaultExports({ nodes }) {
  const isDefault = (node) =>
    ts.isExportAssignment(node) ||
    (node.kind === ts.SyntaxKind.DefaultKeyword &&
      !ts.isExportAssignment(node.parent) &&
      !ts.isDefaultClause(node.parent)) ||
    (ts.isExportSpecifier(node) && node.name.text === "default");
  return nodes.filter(isDefault).map((node) => ({ at: node.getStart(), message: "Exports have names." }));
}

function findWorkspaceImports(file) {
  const { folder, isTest, path } = file;
  const row = workspaceImports.find((candidate) => matches(folder, candidate.folder));
  if (row === undefined) return [{ at: 0, message: `Add ${folder} to workspaceImports in scripts/tidy-tables.mjs.` }];
  const allowed = [folder, ...row.sources, ...(isTest ? row.tests : [])];
  return importsOf(file).flatMap(({ at, name }) => {
    if (name.startsWith(".")) {
      const to = resolved(path, name);
      const isService = to.startsWith(servicesFolder) && (isTest || !folder.startsWith("packages/"));
      return to.startsWith(`${folder}/`) || isService
        ? []
        : [{ at, message: `Import the package by its name, not by a path. import=${name}` }];
    }
    const target = workspaceTargetOf(name);
    if (target === undefined) return [];
    if (target.isDeep && !publicSubpaths.includes(name)) {
      return [{ at, message: `Import the package, not a file in it. import=${name}` }];
    }
    const isAllowed = allowed.some((pattern) => matches(target.folder, pattern));
    return isAllowed
      ? []
      : [{ at, message: `${folder} may not import ${target.folder}. allowed=${allowed.join(",")}` }];
  });
}

function findLayers(file) {
  const own = coreModuleOf(file.path);
  const ownRow = rowOf(own);
  if (ownRow === -1) return [{ at: 0, message: `Add ${own} to coreLayers in scripts/tidy-tables.mjs.` }];
  return importsOf(file).flatMap(({ at, name }) => {
    if (!name.startsWith(".")) return [];
    const target = coreModuleOf(resolved(file.path, name));
    if (target === own || (rowOf(target) !== -1 && rowOf(target) <= ownRow)) return [];
    return [{ at, message: `${own} may not import ${target}: imports point down the layers.` }];
  });
}

function findForeign(file) {
  return importsOf(file)
    .filter(({ name }) => !name.startsWith(".") && !isBuiltin(name) && workspaceTargetOf(name) === undefined)
    .map(({ at, name }) => ({ at, message: `Core has no dependencies. import=${name}` }));
}

function findOwnedBuiltins(file) {
  return builtinOwners
    .filter(({ folder, owner }) => file.path.startsWith(`${folder}/`) && file.path !== owner)
    .flatMap(({ builtins, owner }) =>
      importsOf(file)
        .filter(({ name }) => builtins.includes(name.replace(/^node:/, "")))
        .map(({ at, name }) => ({ at, message: `Only ${owner} imports ${name}.` })),
    );
}

function findClock({ nodes }) {
  const message = `Time and randomness come through a Clock or Random; the system's are in ${clockFile}.`;
  return nodes.filter(asksTheSystem).map((node) => ({ at: node.getStart(), message }));
}

function asksTheSystem(node) {
  if (ts.isNewExpression(node)) return isNamed(node.expression, "Date") && !node.arguments?.length;
  if (ts.isCallExpression(node)) return isNamed(node.expression, "Date");
  if (ts.isImportSpecifier(node)) return bannedNames.includes((node.propertyName ?? node.name).text);
  if (ts.isImportDeclaration(node)) return /^(node:)?timers(\/promises)?$/.test(node.moduleSpecifier.text);
  if (ts.isPropertyAccessExpression(node)) return isBannedProperty(node);
  return ts.isIdentifier(node) && bannedNames.includes(node.text) && isFreeReference(node);
}

function isBannedProperty({ expression, name }) {
  const object = ts.isIdentifier(expression) ? expression.text : expression.name?.text;
  const isBanned = bannedProperties.some((row) => row.object === object && row.names.includes(name.text));
  return isBanned || (["globalThis", "crypto", "webcrypto"].includes(object) && bannedNames.includes(name.text));
}

/** Whether the identifier stands for a variable: it is neither a property, nor the name of a declaration. */
function isFreeReference(node) {
  const { parent } = node;
  return parent.name !== node && parent.propertyName !== node && !ts.isImportSpecifier(parent);
}

function isNamed(node, name) {
  return ts.isIdentifier(node) && node.text === name;
}

/** Every module that the file names: imports, re-exports, `import()`, and import types. */
function importsOf({ nodes }) {
  return nodes.flatMap((node) => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node)
            ? node.argument.literal
            : undefined;
    return specifier && ts.isStringLiteralLike(specifier) ? [{ at: specifier.getStart(), name: specifier.text }] : [];
  });
}

function workspaceTargetOf(name) {
  const row = packageFolders.find(({ prefix }) => name.startsWith(prefix));
  if (row === undefined) return undefined;
  const [, packageName, ...rest] = name.split("/");
  return { folder: row.prefix.endsWith("/") ? `${row.folder}/${packageName}` : row.folder, isDeep: rest.length > 0 };
}

function coreModuleOf(path) {
  return path
    .slice("packages/core/src/".length)
    .split("/")[0]
    .replace(/\.(js|ts)$/, "");
}

function rowOf(module) {
  return coreLayers.findIndex((row) => row.includes(module));
}

function matches(folder, pattern) {
  return pattern.endsWith("/*") ? folder.startsWith(pattern.slice(0, -1)) : folder === pattern;
}

function resolved(path, specifier) {
  return posix.join(posix.dirname(path), specifier);
}

function isBuiltin(name) {
  return name.startsWith("node:") || builtinModules.includes(name);
}

/** `[{ text, at, end }]` for every comment, each once. */
function commentsOf({ text, nodes }) {
  const found = new Map();
  for (const node of nodes) {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    for (const { pos, end } of ranges) found.set(pos, { text: text.slice(pos, end), at: pos, end });
  }
  return [...found.values()];
}

function nodesOf(source) {
  const nodes = [];
  const visit = (node) => {
    nodes.push(node);
    for (const child of node.getChildren(source)) if (child.kind !== ts.SyntaxKind.JSDoc) visit(child);
  };
  visit(source);
  return nodes;
}

function lineOf(source, at) {
  return source.getLineAndCharacterOfPosition(at).line + 1;
}

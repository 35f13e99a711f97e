import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseAst } from 'vitest/node'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A node of the syntax tree, read loosely: the rules look at a few fields of a few kinds. */
export type Node = { type: string; start: number; [field: string]: unknown }
export type Import = { target: string; line: number; onlyType: boolean }
export type Source = { path: string; text: string; isTest: boolean; imports: Import[]; nodes: Node[] }

/** Tests, and what only tests use: fixtures and kits beside them. */
export const isTestPath = (path: string): boolean =>
  /\.test\.(ts|tsx|fixture\.ts|kit\.ts)$|(^|[/-])fixtures?(\/|\.ts$)/.test(path)

/** Every TypeScript file below a folder of the repository, as a path from its root. */
export function pathsBelow(folder: string, ending = /\.tsx?$/): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => ending.test(path) && !/(^|\/)(node_modules|dist)\//.test(path))
    .toSorted()
}

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Reads and parses the files; a relative import is resolved to a path from the root of the repository. */
export function sourcesBelow(folder: string): Source[] {
  return pathsBelow(folder).map((path) => {
    const text = textOf(path)
    const nodes = [...walk(parseAst(text, { lang: path.endsWith('x') ? 'tsx' : 'ts' }))]
    const imports = nodes.flatMap((node) => importOf(node, path, text))
    return { path, text, isTest: isTestPath(path), imports, nodes }
  })
}

export const lineOf = (text: string, start: number): number => text.slice(0, start).split('\n').length

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'

function* walk(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const one of value) yield* walk(one)
  if (!isNode(value)) return
  yield value
  for (const child of Object.values(value)) if (typeof child === 'object') yield* walk(child)
}

/** The text of a string literal, else null. */
export const literalOf = (value: unknown): string | null =>
  isNode(value) && value.type === 'Literal' && typeof value.value === 'string' ? value.value : null

/** The name of an identifier, or `object.property` for a plain member access, else null. */
export function nameOf(value: unknown): string | null {
  if (!isNode(value)) return null
  if (value.type === 'Identifier') return String(value.name)
  if (value.type !== 'MemberExpression' || value.computed === true) return null
  const object = nameOf(value.object)
  const property = nameOf(value.property)
  return object === null || property === null ? null : `${object}.${property}`
}

const IMPORTING = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])

function importOf(node: Node, path: string, text: string): Import[] {
  if (!IMPORTING.has(node.type) || !isNode(node.source)) return []
  const specifier = literalOf(node.source)
  const line = lineOf(text, node.start)
  if (specifier === null) return [{ target: '(computed)', line, onlyType: false }]
  const onlyType = node.importKind === 'type' || node.exportKind === 'type' || node.type === 'TSImportType'
  const target = specifier.startsWith('.')
    ? relative(root, resolve(root, dirname(path), specifier))
    : specifier
  return [{ target, line, onlyType }]
}

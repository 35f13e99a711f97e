import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { type Complaint, shown } from './complaint.ts'
import { type ConfigProblem, configProblem, inFileOrder, type Position } from './config-problem.ts'

/** An honest file shares a few blocks; a bomb multiplies thousands. */
const MAX_ALIASES = 100
/** Our deepest key lies 9 levels deep. */
const MAX_DEPTH = 32

/** The file as plain data, and where each part of it stands. */
export type ConfigDocument = {
  value: unknown
  /** Where the value at a path stands, or the nearest mapping around it when it is missing. */
  valueAt(path: readonly PropertyKey[]): Position
  /** Where the key that ends the path stands. */
  keyAt(path: readonly PropertyKey[]): Position
}

/** How a file of another kind is read: with how many aliases (-1: the caller counts), and which scalars keep their source. */
export type Dialect = { maxAliases: number; asWritten: 'variables' | 'all' }

export function parseConfigDocument(
  file: string,
  text: string,
  { maxAliases, asWritten }: Dialect = { maxAliases: MAX_ALIASES, asWritten: 'variables' },
): Result<ConfigDocument, ConfigProblem[]> {
  const refuse = (complaint: Complaint, at: Position | null) => failed([configProblem(file, at, complaint)])
  const depth = tooDeepAt(text)
  if (depth !== null) return refuse(TOO_DEEP, depth)
  const lines = new LineCounter()
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
    // Its own check compares every key with every other one; ours is linear.
    uniqueKeys: false,
    version: '1.2',
  })
  const problems = yamlProblems(file, text, document, lines)
  if (problems.length > 0) return failed(problems)
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null))
    return refuse(NO_CONTENT, null)
  if (asWritten === 'all') keepAllAsWritten(document)
  else keepNumbersAsWritten(document)
  const value = toPlain(document, maxAliases)
  if (value.kind === 'failed') return refuse(value.problem, null)
  return ok({ value: value.value, ...locator(document, lines) })
}

const TOO_DEEP: Complaint = {
  code: 'CONFIG_YAML_TOO_DEEP',
  message: `is nested more than ${MAX_DEPTH} levels deep`,
  remedy: 'Check for brackets that are never closed. No key of this file lies that deep.',
}
const NO_CONTENT: Complaint = {
  code: 'CONFIG_FILE_EMPTY',
  message: 'is empty',
  remedy: 'Run "sluice init" in another folder to see a file, or write service, run, listen and health.',
}

/** Measures depth before the parser recurses into it, by open brackets, leading dashes and growing indentation. */
function tooDeepAt(text: string): Position | null {
  let open = 0
  let indents: number[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const indent = line.length - line.trimStart().length
    if (line.length > indent) indents = [...indents.filter((one) => one < indent), indent]
    const dashes = /^\s*((?:[-?:]\s+)*)/.exec(line)?.[1]?.replaceAll(/\s/g, '').length ?? 0
    if (Math.max(dashes, indents.length) > MAX_DEPTH) return { line: index + 1, column: indent + 1 }
    open = Math.max(0, open + bracketsIn(line))
    if (open > MAX_DEPTH) return { line: index + 1, column: indent + 1 }
  }
  return null
}

/** How many brackets a line leaves open, or the most it had open at once if that is too many. */
function bracketsIn(line: string): number {
  let open = 0
  let quote = ''
  for (const char of line) {
    if (quote !== '') quote = char === quote ? '' : quote
    else if (char === '"' || char === "'") quote = char
    else if (char === '#') break
    else if (char === '[' || char === '{') open += 1
    else if (char === ']' || char === '}') open -= 1
    if (open > MAX_DEPTH) break
  }
  return open
}

/** Repeated keys are all reported; of the syntax errors only the first, since the others mostly follow from it. */
function yamlProblems(file: string, text: string, document: Document, lines: LineCounter): ConfigProblem[] {
  const [syntax]: YAMLError[] = [...document.errors, ...document.warnings]
  const problems = repeatedKeys(document).map(({ name, offset }) =>
    configProblem(file, positionOf(lines, offset), {
      code: 'CONFIG_YAML_DUPLICATE_KEY',
      message: `the key ${shown(name)} stands twice in the same mapping`,
      remedy: 'Remove one of the two.',
    }),
  )
  if (syntax === undefined) return inFileOrder(problems)
  const at = positionOf(lines, syntax.pos[0])
  return inFileOrder([
    ...problems,
    configProblem(file, at, yamlComplaint(syntax, text.split('\n')[at.line - 1] ?? '')),
  ])
}

function repeatedKeys(document: Document): { name: unknown; offset: number }[] {
  const repeated: { name: unknown; offset: number }[] = []
  visit(document, {
    Map(_index, map) {
      const seen = new Set<string>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        // `1` and `"1"` become the same key of an object.
        const name = String(key.value)
        if (seen.has(name)) repeated.push({ name: key.value, offset: startOf(key) ?? 0 })
        seen.add(name)
      }
    },
  })
  return repeated
}

function yamlComplaint(error: YAMLError, line: string): Complaint {
  if (error.code === 'RESOURCE_EXHAUSTION') return TOO_DEEP
  if (error.code === 'TAB_AS_INDENT' || /^\s*\t/.test(line))
    return {
      code: 'CONFIG_YAML_TAB',
      message: 'the line is indented with a tab',
      remedy: 'Indent with spaces: YAML does not allow tabs there.',
    }
  if (error.code === 'MULTIPLE_DOCS')
    return {
      code: 'CONFIG_YAML_SYNTAX',
      message: 'a second document begins here',
      remedy: 'Remove the line "---" and put several services under "services:".',
    }
  if (line.includes('{{'))
    return {
      code: 'CONFIG_YAML_SYNTAX',
      message: `this is no valid YAML: ${error.message}`,
      remedy: 'Put quotes around the value that holds {{...}}.',
    }
  return {
    code: 'CONFIG_YAML_SYNTAX',
    message: `this is no valid YAML: ${error.message}`,
    remedy: 'Check the indentation, and put quotes around values that hold a colon or a bracket.',
  }
}

/**
 * In variables and command words `1.10` means the text as written, not the number 1.1. So scalars there keep their
 * source.
 */
function keepNumbersAsWritten(document: Document): void {
  visit(document, {
    Pair(_index, { key, value }) {
      const name = isScalar(key) ? key.value : null
      if (name === 'env' && isMap(value))
        value.items.forEach((pair) => {
          keepAsWritten(pair.value)
        })
      if (name === 'command' && isSeq(value)) value.items.forEach(keepAsWritten)
    },
  })
}

/** `1.10` stays a text wherever it is; `true` and `8080` are read back as what they are. */
function keepAllAsWritten(document: Document): void {
  visit(document, {
    Scalar(_index, node) {
      if (String(node.value) !== node.source) keepAsWritten(node)
    },
  })
}

function keepAsWritten(node: unknown): void {
  if (isScalar(node) && node.value !== null && typeof node.value !== 'string') node.value = node.source
}

function toPlain(document: Document, maxAliasCount: number): Result<unknown, Complaint> {
  try {
    return ok(document.toJS({ maxAliasCount }))
  } catch (error) {
    if (error instanceof RangeError) return failed(TOO_DEEP)
    if (!(error instanceof ReferenceError || error instanceof TypeError)) throw error
    return failed({
      code: 'CONFIG_YAML_ALIASES',
      message: `has aliases that cannot be resolved: ${error.message}`,
      remedy: 'Write the values out instead of using & and *.',
    })
  }
}

function locator(document: Document, lines: LineCounter): Pick<ConfigDocument, 'valueAt' | 'keyAt'> {
  const locate = (path: readonly PropertyKey[], want: 'key' | 'value'): Position => {
    let node: unknown = document.contents
    let found = startOf(node) ?? 0
    for (const [index, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document)
      const child = childOf(node, step)
      if (child === null) {
        // `canary: quick` holds what `canary.preset` means: the word itself is the place.
        if (isScalar(node) && !isEmptyScalar(node)) found = startOf(node) ?? found
        break
      }
      const last = index === path.length - 1
      const value = startOf(child.value)
      const useKey = want === 'key' || !last || isEmptyScalar(child.value)
      found = (useKey ? (child.key ?? value) : (value ?? child.key)) ?? found
      node = child.value
    }
    return positionOf(lines, found)
  }
  return { valueAt: (path) => locate(path, 'value'), keyAt: (path) => locate(path, 'key') }
}

function childOf(node: unknown, step: PropertyKey): { key: number | null; value: unknown } | null {
  if (isSeq(node)) {
    const item = typeof step === 'number' ? node.items[step] : undefined
    return item === undefined ? null : { key: null, value: item }
  }
  if (!isMap(node)) return null
  const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(step))
  return pair === undefined ? null : { key: startOf(pair.key), value: pair.value }
}

const isEmptyScalar = (node: unknown): boolean => isScalar(node) && node.value === null

function startOf(node: unknown): number | null {
  if (isMap(node) || isSeq(node) || isScalar(node) || isAlias(node)) return node.range?.[0] ?? null
  return null
}

function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

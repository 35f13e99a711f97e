import { lineOf, literalOf, type Node, nameOf, type Source } from './sources.ts'

const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/
/** Functions that take a code, also one of a single word. Elsewhere an argument needs an underscore to count. */
const TAKES_CODE = new Set(['problem', 'refusal', 'refused', 'byHand'])
/** Codes of others: Node, its parser and the environment. */
const FOREIGN = /^(ERR|HPE|EAI|LC|SLUICE)_/

export type CodeUse = { code: string; place: string }

/** Every stable code that a file gives out: `problem('CODE', ...)`, `{ code: 'CODE' }`, or an argument of a plain function. */
export function codesOf({ path, text, nodes }: Source): CodeUse[] {
  return nodes.flatMap((node) =>
    candidates(node).map((code) => ({ code, place: `${path}:${lineOf(text, node.start)}` })),
  )
}

function candidates(node: Node): string[] {
  if (node.type === 'Property' && nameOf(node.key) === 'code') return literalsIn(node.value).filter(isCode)
  const callee = node.type === 'CallExpression' ? node.callee : null
  const name = nameOf(callee)
  if (name === null || name.includes('.') || !Array.isArray(node.arguments)) return []
  const found = node.arguments.flatMap(literalsIn).filter(isCode)
  return TAKES_CODE.has(name) ? found : found.filter((code) => code.includes('_'))
}

const isCode = (text: string): boolean => CODE.test(text) && !FOREIGN.test(text)

/** The literal itself, or both sides of `condition ? 'A' : 'B'`. */
function literalsIn(value: unknown): string[] {
  const text = literalOf(value)
  if (text !== null) return [text]
  const isChoice =
    typeof value === 'object' && value !== null && 'consequent' in value && 'alternate' in value
  return isChoice ? [...literalsIn(value.consequent), ...literalsIn(value.alternate)] : []
}

import { type Node, nameOf, type Source } from './sources.ts'

/** Names of the outer world. What core needs of it comes in as an argument. */
const WORLD = new Set(
  'process console fetch setTimeout setInterval setImmediate queueMicrotask performance crypto globalThis'.split(
    ' ',
  ),
)
const CALLS = new Set(['Date.now', 'Math.random', 'Date'])

/** What is impure at this node, or null. */
export function impurity(node: Node): string | null {
  if (node.type === 'AwaitExpression') return 'await'
  if (node.type === 'ImportExpression') return 'import()'
  if (node.async === true) return 'async'
  if (node.type === 'NewExpression' && nameOf(node.callee) === 'Date' && noneIn(node.arguments))
    return 'new Date()'
  const name = node.type === 'CallExpression' ? nameOf(node.callee) : null
  if (name !== null && CALLS.has(name)) return `${name}()`
  const root = node.type === 'MemberExpression' ? nameOf(node.object) : name
  return root !== null && WORLD.has(root) ? root : null
}

const noneIn = (list: unknown): boolean => Array.isArray(list) && list.length === 0

/** A local name may be called like a part of the world (`process`), so declared names of the file do not count. */
export function impuritiesOf({ nodes }: Source): { node: Node; what: string }[] {
  const declared = new Set(nodes.flatMap((node) => namesDeclaredBy(node)))
  return nodes.flatMap((node) => {
    const what = impurity(node)
    return what === null || declared.has(what) ? [] : [{ node, what }]
  })
}

function namesDeclaredBy(node: Node): (string | null)[] {
  if (node.type === 'VariableDeclarator') return [nameOf(node.id)]
  return Array.isArray(node.params) ? node.params.map(nameOf) : []
}

import { describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/cli/command-list.ts'
import { OPERATIONS } from '../../src/operations/list.ts'
import { literalOf, type Node, nameOf, pathsBelow, type Source, sourcesBelow, textOf } from './sources.ts'

/** Read by the page only: a terminal shows the same as its live view. */
const PAGE_ONLY = new Set(['get_series'])

const isProduct = ({ isTest }: Source): boolean => !isTest
const cli = sourcesBelow('src/cli').filter(isProduct)
const called = new Set(cli.flatMap(({ nodes }) => nodes.flatMap(operationCalled)))
const pageWords = new Set(
  sourcesBelow('web/src')
    .filter(isProduct)
    .flatMap(({ nodes }) => nodes.flatMap((node) => literalOf(node) ?? [])),
)
const names = OPERATIONS.map(({ name }) => name)
const reference = pathsBelow('docs/reference', /\.md$/).map(textOf)

/** `client.call('deploy', ...)` and `runAction(session, 'abort', ...)`. */
function operationCalled({ type, callee, arguments: given }: Node): string[] {
  if (type !== 'CallExpression' || !Array.isArray(given)) return []
  const isCall = nameOf(callee) === 'runAction' || nameOf(propertyOf(callee)) === 'call'
  return isCall ? given.flatMap((one) => literalOf(one) ?? []) : []
}

function propertyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'property' in value ? value.property : null
}

it('operations and commands were found', () => {
  expect(names.length).toBeGreaterThanOrEqual(19)
  expect(COMMANDS.length).toBeGreaterThanOrEqual(20)
  expect(new Set(names).size).toBe(names.length)
})

it('every operation is reached from the terminal, or named as one of the page only', () => {
  expect(names.filter((name) => !called.has(name) && !PAGE_ONLY.has(name))).toEqual([])
  expect([...PAGE_ONLY].filter((name) => called.has(name) || !pageWords.has(name))).toEqual([])
})

it('the terminal calls no operation that does not exist', () => {
  expect([...called].filter((name) => !names.includes(name))).toEqual([])
})

it('every command is a file of its own name, and every such file is a command', () => {
  const files = cli.map(({ path }) => path).filter((path) => path.startsWith('src/cli/commands/'))
  expect(files).toEqual(COMMANDS.map(({ name }) => `src/cli/commands/${name}.ts`).toSorted())
})

describe('the reference', () => {
  it('has every operation', ({ skip }) => {
    const page = reference.find((text) => text.includes('list_services'))
    if (page === undefined) return skip('docs/reference has no page about operations')
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([])
  })

  it('has every command', ({ skip }) => {
    const page = reference.find((text) => text.includes('sluice unadopt'))
    if (page === undefined) return skip('docs/reference has no page about commands')
    expect(COMMANDS.map(({ name }) => name).filter((name) => !page.includes(`sluice ${name}`))).toEqual([])
  })
})

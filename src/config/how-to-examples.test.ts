import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadConfig } from './load.ts'

const HOW_TOS = new URL('../../docs/how-to/', import.meta.url)
const HEAD = `service: shop
run: { artifact: "./releases/{{version}}", command: node server.js, replicas: 4 }
listen: 127.0.0.1:8080
health: { path: /up }
`

/** Whole files, and parts of one that begin with the strategy. */
const examples = readdirSync(HOW_TOS).flatMap((page) =>
  [...readFileSync(new URL(page, HOW_TOS), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(
    ([, text = ''], index) => {
      if (text.startsWith('service:')) return [{ page, index, text }]
      return text.startsWith('strategy:') ? [{ page, index, text: HEAD + text }] : []
    },
  ),
)

describe('the examples of the how-tos', () => {
  it('were found', () => {
    expect(examples.length).toBeGreaterThanOrEqual(4)
  })

  it.each(examples)('$page, example $index, loads', ({ text }) => {
    const readEnv = () => ({ kind: 'text' as const, text: 'REGION=here' })
    const first = loadConfig({ file: 'sluice.yaml', text, readEnv })
    if (first.kind === 'ok') return
    // A file without `local` names its environments.
    const names = first.problem.map(({ message, remedy }) => `${message} ${remedy}`).join('\n')
    const environment = /production|staging/.exec(names)?.[0]
    const again =
      environment === undefined ? first : loadConfig({ file: 'sluice.yaml', text, readEnv, environment })
    expect(again.kind === 'ok' ? [] : again.problem).toEqual([])
  })
})

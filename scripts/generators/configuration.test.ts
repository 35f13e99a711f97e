import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { explainSettings } from '../../src/config/explain.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readDuration } from '../../src/config/units.ts'
import { configurationFiles } from './configuration.ts'

async function contentOf(path: string): Promise<string> {
  const file = configurationFiles.find((one) => one.path === path)
  if (file === undefined) throw new Error(`${path} is not generated`)
  return await file.content()
}
const reference = () => contentOf('docs/reference/configuration.md')
const examples = async () =>
  [...(await reference()).matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)

function loadedFrom(text: string, environment = 'local') {
  const readEnv = () => ({ kind: 'text' as const, text: 'REGION=here' })
  const loaded = loadConfig({ file: 'sluice.yaml', text, environment, readEnv })
  if (loaded.kind === 'failed') throw new Error(loaded.problem.map((one) => one.message).join('\n'))
  return loaded.value
}

test('every example of the reference loads in every environment that it names', async () => {
  const texts = await examples()
  expect(texts).toHaveLength(3)
  for (const text of texts) {
    for (const environment of loadedFrom(text).environments)
      expect(loadedFrom(text, environment).services.length).toBeGreaterThan(0)
  }
})

test('the full example sets every key of the reference', async () => {
  const [, full = ''] = await examples()
  const keys = [...(await reference()).matchAll(/^\| `(\w+)` \|/gm)].map(([, key = '']) => key)
  expect(keys.length).toBeGreaterThan(50)
  // A preset stands instead of steps; `services` belongs to the other form of the file.
  const elsewhere = ['preset', 'services', 'errorPointsOverStable', 'p95TimesStable']
  // Nor is there a metric of every kind from every provider.
  elsewhere.push('events', 'exposure', 'value', 'body')
  // There is one strategy, and a request has one method.
  elsewhere.push('blueGreen', 'switch', 'previewReplicas', 'warm', 'head', 'put', 'patch', 'delete')
  elsewhere.push('rolling', 'surge', 'unavailable', 'minHealthy')
  elsewhere.push('ab', 'by', 'variants', 'goal', 'atEnd', 'share', 'request', 'where', 'values')
  elsewhere.push('recreate', 'retryAfter', 'shadow', 'methods', 'idempotent', 'ignore', 'volatile')
  // Limits and the access log are those of the built-in proxy alone.
  elsewhere.push('also')
  // Nor are all ways beside the weights wanted at once; and what only workers have stands in no file that listens.
  elsewhere.push(
    'preview',
    'routes',
    'sticky',
    'header',
    'cookie',
    'value',
    'pattern',
    'quiesce',
    'grace',
    'runs',
  )
  for (const key of keys.filter((one) => !elsewhere.includes(one)))
    expect(full).toMatch(new RegExp(`\\b${key}:`))
})

test('every default in the reference is the value that the smallest file gets', async () => {
  const [minimal = ''] = await examples()
  const rows = new Map(explainSettings(loadedFrom(minimal)).map((row) => [row.path, row.value]))
  let section = ''
  let compared = 0
  for (const line of (await reference()).split('\n')) {
    section = /^### `(.+)`$/.exec(line)?.[1] ?? (line === '### Top level' ? '' : section)
    const [, key = '', stated] = /^\| `(\w+)` \| [^|]* \| `(.*?)` \|/.exec(line) ?? []
    const path = section === '' ? key : `${section}.${key}`
    const actual = rows.get(path)
    if (stated === undefined || actual === undefined || path === 'run.artifact') continue
    expect(comparable(actual), path).toEqual(comparable(stated))
    compared += 1
  }
  expect(compared).toBeGreaterThanOrEqual(30)
})

/** `60s` and `1m` are the same default. */
function comparable(text: string): unknown {
  const duration = readDuration(text)
  return duration.kind === 'ok' && !/^\d+$/.test(text) ? duration.value : text
}

test('the JSON Schema closes every mapping and carries texts and defaults', async () => {
  const text = await contentOf('schema/sluice.schema.json')
  const schema: unknown = JSON.parse(text)
  expect(schema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'sluice.yaml',
  })
  expect(text.match(/"properties"/g)?.length).toBeLessThanOrEqual(
    text.match(/"additionalProperties": false/g)?.length ?? 0,
  )
  expect(text).toContain('"default": "10s"')
  expect(text).toContain('Time between SIGTERM and SIGKILL')
  expect(text).not.toMatch(/"__schema\d+": \{\}/)
})

test('what is committed is what is generated', async () => {
  for (const file of configurationFiles) {
    const committed = readFileSync(new URL(`../../${file.path}`, import.meta.url), 'utf8')
    expect(committed === (await file.content()), `${file.path}: run "npm run generate"`).toBe(true)
  }
})

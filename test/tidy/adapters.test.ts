import { matchesGlob } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ADAPTER_KITS } from '../../scripts/suites.ts'
import { pathsBelow, type Source, sourcesBelow } from './sources.ts'

const sources = sourcesBelow('src/adapters')
const files = pathsBelow('src/adapters', /./)
const folders = [...new Set(files.flatMap((path) => /^src\/adapters\/[^/]+\/[^/]+(?=\/)/.exec(path) ?? []))]

/** The kit of a port: `targets` is tried by `target.ts`. The counters of the data plane have a kit of their own beside. */
function kitOf(folder: string): string {
  const port = (folder.split('/')[2] ?? '').replace(/s$/, '')
  return `src/testkit/conformance/${port === 'metric' ? 'metric-provider' : port}.ts`
}

/** Imported and called: an import alone proves nothing. */
const runs = ({ isTest, imports, text }: Source, kit: string): boolean =>
  isTest && imports.some(({ target }) => target === kit) && /^ *\w+Conformance\(/m.test(text)

it('adapters were found', () => {
  expect(folders.length).toBeGreaterThanOrEqual(6)
})

describe.each(folders)('%s', (folder) => {
  it('says in its README what it needs and where its limits are', () => {
    expect(files).toContain(`${folder}/README.md`)
  })

  it('is tried by the conformance kit of its port', () => {
    const tests = sources.filter(({ path }) => path.startsWith(`${folder}/`))
    const tried = tests.filter((test) => runs(test, kitOf(folder))).map(({ path }) => path)
    expect(tried, `no test calls ${kitOf(folder)}`).not.toEqual([])
    const isFast = (path: string): boolean =>
      !path.endsWith('.live.test.ts') || ADAPTER_KITS.some((glob) => matchesGlob(path, glob))
    expect(tried.some(isFast), `npm test runs none of ${tried.join(', ')}`).toBe(true)
  })
})

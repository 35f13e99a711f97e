import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ServiceSettings } from '../core/release/settings.ts'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

/** The file of the reference sets every key once, so its mutations reach every check. */
const FULL = readFileSync(
  new URL('../../scripts/generators/configuration/full.yaml', import.meta.url),
  'utf8',
)
const LINES = FULL.split('\n')

function checkLoad(text: string): void {
  const first = loadConfig({ file: 'sluice.yaml', text })
  expect(loadConfig({ file: 'sluice.yaml', text })).toEqual(first)
  if (first.kind === 'ok') {
    for (const settings of first.value.services) ServiceSettings.parse(settings)
    for (const row of explainSettings(first.value)) expect(row.value).toBeTypeOf('string')
    return
  }
  expect(first.problem.length).toBeGreaterThan(0)
  for (const problem of first.problem) {
    expect(problem.code).toMatch(/^CONFIG_[A-Z0-9_]+$/)
    expect(problem.remedy).not.toBe('')
    expect(
      problem.message.startsWith(
        problem.at === null ? 'sluice.yaml: ' : `sluice.yaml:${problem.at.line}:${problem.at.column}: `,
      ),
    ).toBe(true)
    if (problem.at !== null) expect(problem.at.line).toBeLessThanOrEqual(text.split('\n').length + 1)
  }
}

const word = fc.constantFrom(
  'off',
  'hold',
  'canary',
  '5%',
  '10',
  '-1',
  '1e9',
  '.nan',
  '.inf',
  '30s',
  '0s',
  '{{port}}',
  '{{x}}',
  '~',
  'null',
  'true',
  '[]',
  '{}',
  '[1, 2]',
  '&a x',
  '*a',
  '!!int 3',
  '"',
  "'",
  ': ',
  '\t',
  '- ',
  '__proto__',
  '\u0000',
  '\uFFFF',
  '? x',
  '|',
  '>',
  '0x10',
  '2026-11-21',
)

/** One edit of the full file, as a person or a broken tool might make it. */
const edit = fc.record({
  line: fc.nat(LINES.length - 1),
  kind: fc.constantFrom('drop', 'double', 'indent', 'outdent', 'value', 'key', 'cut', 'splice'),
  by: fc.oneof(word, fc.string({ maxLength: 12 })),
  at: fc.nat(60),
})
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

function applied(lines: string[], { line, kind, by, at }: Edit): string[] {
  const old = lines[line] ?? ''
  const edits: Record<Edit['kind'], string[]> = {
    drop: [],
    double: [old, old],
    indent: [`  ${old}`],
    outdent: [old.replace(/^ {1,2}/, '')],
    value: [old.replace(/(:\s*)[^\s,}\]]*/, `$1${by.replaceAll('$', '')}`)],
    key: [old.replace(/\w+:/, `${by.replaceAll('$', '')}:`)],
    cut: [old.slice(0, at)],
    splice: [old.slice(0, at) + by + old.slice(at)],
  }
  return lines.toSpliced(line, 1, ...edits[kind])
}

describe('whatever the text is, loading gives settings or problems with a place, twice the same', () => {
  test('for edits of the full file', () => {
    return fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        checkLoad(edits.reduce(applied, LINES).join('\n'))
      }),
      { numRuns: 75 },
    )
  })

  test('for any text', () => {
    return fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 200 })),
        (text) => {
          checkLoad(text)
        },
      ),
      { numRuns: 75 },
    )
  })

  test('for lines that look like YAML', () => {
    const line = fc.tuple(
      fc.nat(6),
      fc.constantFrom(
        'service',
        'run',
        'env',
        'strategy',
        'canary',
        'steps',
        'weight',
        '- ',
        'environments',
        'services',
        'x',
      ),
      word,
    )
    return fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), (lines) => {
        checkLoad(lines.map(([indent, key, value]) => `${' '.repeat(indent)}${key}: ${value}`).join('\n'))
      }),
      { numRuns: 75 },
    )
  })

  test('for any data in the place of any section', () => {
    const section = fc.constantFrom(
      'service',
      'run',
      'listen',
      'health',
      'drain',
      'strategy',
      'analysis',
      'onControllerLoss',
      'prober',
      'notify',
      'environments',
      'services',
    )
    return fc.assert(
      fc.property(fc.dictionary(section, fc.jsonValue({ maxDepth: 4 })), (data) => {
        checkLoad(JSON.stringify(data))
      }),
      { numRuns: 75 },
    )
  })
})

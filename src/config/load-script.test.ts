import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadScript, readScript } from './load-script.ts'

const problemsIn = (text: string) => {
  const read = readScript(text, 'bad.yaml')
  return read.kind === 'failed' ? read.problem : []
}

describe('a file of metrics', () => {
  it('is read from YAML and from JSON', () => {
    const yaml = `
seed: 7
metrics:
  - { from: 0s, requestRate: 200, stable: { errorRate: 0.1%, p50: 20ms, p99: 100ms } }
  - { from: 10m, to: 1h, candidate: { errorRate: 4%, crashes: 2, start: never }, verify: fails }
people:
  - { at: 5m, act: promote }
`
    const json = JSON.stringify({
      seed: 7,
      metrics: [
        { from: '0s', requestRate: 200, stable: { errorRate: '0.1%', p50: '20ms', p99: '100ms' } },
        {
          from: '10m',
          to: '1h',
          candidate: { errorRate: '4%', crashes: 2, start: 'never' },
          verify: 'fails',
        },
      ],
      people: [{ at: '5m', act: 'promote' }],
    })
    const expected = {
      kind: 'ok',
      value: {
        seed: 7,
        parts: [
          {
            fromMs: 0,
            toMs: null,
            requestsPerSecond: 200,
            stable: { errorRatePercent: 0.1, p50Ms: 20, p99Ms: 100 },
            candidate: {},
          },
          {
            fromMs: 600_000,
            toMs: 3_600_000,
            stable: {},
            candidate: { errorRatePercent: 4, crashes: 2, startMs: null },
            verify: 'fails',
          },
        ],
        people: [{ atMs: 300_000, act: 'promote' }],
      },
    }
    expect(readScript(yaml, 'a.yaml')).toEqual(expected)
    expect(readScript(json, 'a.json')).toEqual(expected)
  })

  it.each([
    [
      'an unknown key',
      'metrics:\n  - { from: 0s, canddate: {} }',
      'CONFIG_UNKNOWN_KEY',
      /bad\.yaml:2:17: unknown key "canddate" in metrics\[0\]/,
    ],
    ['no unit', 'metrics: [{ from: 5 }]', 'CONFIG_UNIT_MISSING', /metrics\[0\]\.from/],
    ['no from', 'metrics: [{ to: 5m }]', 'CONFIG_MISSING_KEY', /metrics\[0\]\.from is missing/],
    [
      'more than all',
      'metrics: [{ from: 0s, candidate: { errorRate: 130% } }]',
      'CONFIG_OUT_OF_RANGE',
      /errorRate/,
    ],
    [
      'an end before the begin',
      'metrics: [{ from: 5m, to: 1m }]',
      'CONFIG_CONFLICT',
      /metrics\[0\]\.to is not after from/,
    ],
    [
      'a median above the 99th percentile',
      'metrics: [{ from: 0s, stable: { p50: 2s, p99: 1s } }]',
      'CONFIG_CONFLICT',
      /stable\.p50/,
    ],
    [
      'an unknown word',
      'metrics: []\npeople: [{ at: 1m, act: promte }]',
      'CONFIG_WRONG_VALUE',
      /people\[0\]\.act/,
    ],
    ['no metrics', 'seed: 1', 'CONFIG_MISSING_KEY', /metrics is missing/],
    ['a negative rate', 'metrics: [{ from: 0s, requestRate: -1 }]', 'CONFIG_OUT_OF_RANGE', /requestRate/],
    ['broken YAML', 'metrics: [', 'CONFIG_YAML_SYNTAX', /no valid YAML/],
    ['nothing', ' \n', 'SCRIPT_UNREADABLE', /is empty/],
  ])('with %s is refused with its place and what to do', (_, text, code, message) => {
    const [first] = problemsIn(text)
    expect(first).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(first?.remedy.length).toBeGreaterThan(5)
  })

  it('never breaks, whatever is in it', () => {
    const word = fc.constantFrom(
      'metrics',
      'from',
      'to',
      'candidate',
      'p50',
      'seed',
      'people',
      '0s',
      '1m',
      '5%',
      '',
    )
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        word,
        fc.integer(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(word, tie('any'), { maxKeys: 4 }),
      ),
    })).any
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          value.map((one) => JSON.stringify(one)),
        ),
        (text) => {
          const read = readScript(text, 'x')
          return read.kind === 'ok' || read.problem.length > 0
        },
      ),
    )
  })
})

describe('a file of metrics on disk', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-script-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('that is missing, a folder or too large says so', () => {
    const large = path.join(folder, 'large.yaml')
    writeFileSync(large, 'x'.repeat(1_048_577))
    for (const [file, cause] of [
      [path.join(folder, 'none'), /does not exist/],
      [folder, /is a folder/],
      [large, /more than/],
    ] as const)
      expect(loadScript(file, 'it')).toMatchObject({
        problem: [
          { code: 'SCRIPT_UNREADABLE', message: 'it cannot be read.', cause: expect.stringMatching(cause) },
        ],
      })
  })

  it('is read', () => {
    const file = path.join(folder, 'a.yaml')
    writeFileSync(file, 'metrics: [{ from: 0s }]')
    expect(loadScript(file, 'it')).toMatchObject({ kind: 'ok', value: { seed: 1 } })
  })
})

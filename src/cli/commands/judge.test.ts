import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestIo } from '../fixture/test-io.test.fixture.ts'
import { runCli } from '../main.ts'

const batch = (x: number, n: number, y: number, m: number) => ({
  candidate: { bad: x, total: n },
  stable: { bad: y, total: m },
})
const metricsOf = (...batches: readonly object[]) => ({
  metrics: [{ name: 'errors', kind: 'ratio', batches }],
})
const BAD = metricsOf(batch(3, 1000, 1, 1000), batch(45, 1000, 2, 1000))

describe('judge', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-judge-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const judge = async (input: unknown, ...argv: string[]) => {
    const io = createTestIo({ cwd: folder, input: typeof input === 'string' ? input : JSON.stringify(input) })
    const code = await runCli(['judge', '-', ...argv], io)
    return {
      code,
      out: io.stdout(),
      err: io.stderr(),
      documents: argv.includes('--json') ? io.documents() : [],
    }
  }

  it.each([
    ['worse', 10, BAD],
    ['not-worse', 0, metricsOf(...Array.from({ length: 12 }, () => batch(1, 1000, 1, 1000)))],
    ['watching', 12, metricsOf(batch(1, 100, 1, 100))],
    ['no-data', 14, metricsOf(batch(1, 100, 0, 0))],
  ])('ends a verdict of %s with %i', async (verdict, exitCode, input) => {
    const { code, documents } = await judge(input, '--json')
    expect(code).toBe(exitCode)
    expect(documents).toHaveLength(1)
    expect(documents[0]).toMatchObject({ schemaVersion: 1, type: 'judgement', verdict })
  })

  it('reads a file, and shows verdict, evidence and counts to people', async () => {
    writeFileSync(path.join(folder, 'counts.json'), JSON.stringify(BAD))
    const io = createTestIo({ cwd: folder })
    expect(await runCli(['judge', 'counts.json'], io)).toBe(10)
    expect(io.stdout()).toContain('worse: the candidate is worse than stable')
    expect(io.stdout()).toMatch(/errors +worse +[\d.]+ +4\.61 +\S+ +2 +▁█/)
    expect(io.stdout()).toContain('candidate 2.4% (48 of 2,000), stable 0.15% (3 of 2,000)')
  })

  it.each([
    ['', 'standard input is empty', 'JUDGE_NOT_JSON'],
    ['{"metrics": [NaN]}', 'is not JSON', 'JUDGE_NOT_JSON'],
    ['[]', 'is a list, but must be an object', 'JUDGE_BAD_VALUE'],
    [{ ...BAD, alfa: 0.1 }, 'unknown key "alfa"', 'JUDGE_UNKNOWN_KEY'],
    [metricsOf(batch(-1, 1, 0, 1)), 'metrics[0].batches[0].candidate.bad is -1', 'JUDGE_BAD_VALUE'],
    [metricsOf(batch(4, 3, 0, 1)), 'batches[0].candidate.bad holds more bad ones', 'JUDGE_BAD_VALUE'],
    [metricsOf({ candidate: { bad: 1, total: 2 } }), 'batches[0].stable is missing', 'JUDGE_BAD_VALUE'],
    [
      { metrics: [{ name: 'a', kind: 'ratoi' }] },
      'is "ratoi", but must be "ratio", "rate" or "histogram"',
      'JUDGE_BAD_VALUE',
    ],
  ])('refuses %j with its place, and ends with 2', async (input, message, problemCode) => {
    const { code, out, err } = await judge(input)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain(message)
    expect(err).toContain(problemCode)
  })

  it('suggests the nearest key', async () => {
    const input = { metrics: [{ name: 'a', kind: 'ratio', tolerence: {}, batches: [] }] }
    expect((await judge(input)).err).toContain('Did you mean "tolerance"?')
  })

  it('says no more than ten things about a file that is wrong everywhere', async () => {
    const { err } = await judge(metricsOf(...Array.from({ length: 500 }, () => batch(-1, -1, -1, -1))))
    expect(err.match(/✗/g)).toHaveLength(10)
  })

  it('refuses a file that is not there, and more than 64 MiB', async () => {
    const io = createTestIo({ cwd: folder })
    expect(await runCli(['judge', 'nowhere.json'], io)).toBe(2)
    expect(io.stderr()).toContain('JUDGE_UNREADABLE')
    const { code, err } = await judge(' '.repeat(64 * 1024 * 1024 + 1))
    expect(code).toBe(2)
    expect(err).toContain('larger than 64 MiB')
  })

  it('is the judge of Kayenta with --kayenta and --data', async () => {
    const canary = { analysisConfigurations: { canary: { direction: 'increase', critical: true } } }
    const config = {
      metrics: [{ name: 'errors', groups: ['all'], ...canary }],
      classifier: { groupWeights: { all: 100 }, scoreThresholds: { pass: 95, marginal: 75 } },
    }
    const values = { control: [1, 2, 1.5, 1.2, 1.8, 1.1], experiment: [20, 22, 21, 25, 30, 24] }
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config))
    writeFileSync(path.join(folder, 'data.json'), JSON.stringify([{ name: 'errors', values }]))
    const words = ['judge', '--kayenta', 'config.json', '--data', 'data.json']
    const io = createTestIo({ cwd: folder })
    expect(await runCli([...words, '--json'], io)).toBe(10)
    expect(io.documents()[0]).toMatchObject({
      type: 'kayenta-judgement',
      verdict: 'Fail',
      score: 0,
      metrics: [{ name: 'errors', label: 'High', critical: true }],
    })
    const people = createTestIo({ cwd: folder })
    expect(await runCli(words, people)).toBe(10)
    expect(people.stdout()).toContain('Fail: score 0, pass 95, marginal 75')
    expect(people.stdout()).toMatch(/errors +High \(critical\) +all/)
  })

  it.each([
    [],
    ['counts.json', '--data', 'data.json'],
    ['--kayenta', 'config.json'],
    ['--kayenta', '-', '--data', '-'],
  ])('refuses the words %j %j %j %j', async (...words) => {
    const io = createTestIo({ cwd: folder })
    expect(await runCli(['judge', ...words.filter((word) => word !== undefined)], io)).toBe(2)
    expect(io.stderr()).toContain('judge takes one file, or --kayenta and --data together')
  })
})

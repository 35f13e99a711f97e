import { describe, expect, it } from 'vitest'
import { complaintsIn, rowsIn, settingsIn } from './settings.test.kit.ts'

const fileWith = (lines: string, run = '') => `service: mails
run: { command: node worker.js, replicas: 4${run} }
listen: none
${lines}
`
const HEALTH = 'health: { command: node alive.js }'
const settingsOf = (lines: string, run = '') => settingsIn(fileWith(lines, run))

describe('listen: none', () => {
  it('is a worker: nothing is asked of requests, whatever the defaults are', () => {
    const { listen, prober, analysis, strategy } = settingsOf(HEALTH)
    expect(listen).toBeNull()
    expect(prober).toBeNull()
    expect(analysis.compare).toEqual({ errors: null, latency: null, crashes: { ratio: 1 } })
    expect(analysis.critical).toEqual({})
    expect(analysis.warning).toEqual({ cpuPercent: 80, memoryPercent: 85, diskPercent: 80 })
    expect(analysis.slo).toBeNull()
    expect(strategy).toMatchObject({ kind: 'canary', lightWatch: null, holdMs: 0 })
    expect(
      'steps' in strategy && strategy.steps.every(({ criteria }) => Object.keys(criteria).length === 0),
    ).toBe(true)
  })

  it('may be told to take no new work, and is given ten minutes for what it has', () => {
    expect(settingsOf(HEALTH, ', quiesce: SIGUSR1').run.quiesce).toEqual({
      signal: 'SIGUSR1',
      graceMs: 600_000,
    })
    const { run } = settingsOf(HEALTH, ', quiesce: SIGTSTP, grace: 2h')
    expect(run.quiesce).toEqual({ signal: 'SIGTSTP', graceMs: 7_200_000 })
    const values = rowsIn(fileWith(HEALTH, ', quiesce: SIGTSTP, grace: 2h'))
    expect(values.find(({ path }) => path === 'run.grace')?.value).toBe('2h')
    expect(values.find(({ path }) => path === 'listen')?.value).toBe('none')
  })

  it.each([
    [`${HEALTH}\nstrategy: { blueGreen: {} }`, 'strategy.blueGreen'],
    [`${HEALTH}\nstrategy: { canary: { preview: 127.0.0.1:8090 } }`, 'strategy.canary.preview'],
    [`${HEALTH}\nverify: [{ http: /up }]`, 'verify'],
    ['health: { path: /up }', 'health.path'],
    [`${HEALTH}\nprober: { paths: [/up] }`, 'prober'],
  ])('refuses what needs an address: %s', (lines, path) => {
    const problems = complaintsIn(fileWith(lines))
    expect(problems.map(({ code }) => code)).toContain('CONFIG_CONFLICT')
    expect(problems.find(({ message }) => message.includes(path))?.message).toContain('needs an address')
  })

  it('is the only one that can be told so: the others are drained by the data plane', () => {
    const text = 'service: shop\nrun: { command: x, quiesce: SIGUSR1 }\nlisten: 8080\nhealth: { path: /up }\n'
    expect(complaintsIn(text)[0]?.message).toContain('run.quiesce is for workers')
  })
})

import { describe, expect, it } from 'vitest'
import { type HealthProbe, readyCheckOf, readyWithinMs } from '../core/shared/set-spec.ts'
import { explainSettings } from './explain.ts'
import { loadConfig } from './load.ts'

type Text = { health?: string; run?: string; listen?: string; more?: string }
const load = ({ health = 'none', run = '', listen = 'none', more = '' }: Text) =>
  loadConfig({
    file: 'sluice.yaml',
    text: `service: mail
run: { command: node worker.js${run} }
listen: ${listen}
health: ${health}
${more}`,
  })
const settings = (text: Text) => {
  const result = load(text)
  if (result.kind === 'failed') throw new Error(result.problem.map(({ message }) => message).join('\n'))
  const [service] = result.value.services
  if (service === undefined) throw new Error('there is no service')
  return service
}
const problemIn = (text: Text) => {
  const result = load(text)
  return result.kind === 'failed' ? result.problem[0] : undefined
}
const explained = (text: Text, prefix: string) => {
  const result = load(text)
  if (result.kind === 'failed') throw new Error(result.problem[0]?.message)
  return explainSettings(result.value)
    .filter(({ path }) => path.startsWith(prefix))
    .map(({ path, value }) => [path, value])
}
const healthOf = (text: Text): HealthProbe => settings(text).health

describe('health of a worker that nobody can ask', () => {
  it('is that it runs: ten seconds by default, or as long as the file says', () => {
    expect(readyCheckOf(healthOf({}))).toEqual({ kind: 'runs', forMs: 10_000 })
    expect(readyCheckOf(healthOf({ health: '{ runs: 2s, deadline: 30s }' }))).toEqual({
      kind: 'runs',
      forMs: 2000,
    })
    expect(explained({}, 'health.runs')).toEqual([['health.runs', '10s']])
  })

  it('may be overridden for one environment, by a word or by a way to ask', () => {
    const asked = settings({ more: 'environments: { local: { health: { command: ./well } } }' })
    expect(readyCheckOf(asked.health)).toEqual({ kind: 'command', command: ['./well'] })
    const unasked = settings({
      health: '{ command: ./well }',
      more: 'environments: { local: { health: none } }',
    })
    expect(readyCheckOf(unasked.health).kind).toBe('runs')
  })

  it.each<[Text, string, string]>([
    [{ listen: '8080' }, 'is for workers', 'health: { tcp: true }'],
    [{ health: '{ runs: 2m }' }, 'not below the deadline of 1m', 'deadline above 2m'],
    [{ health: '{ runs: 10s, command: ./well }' }, 'exactly one of', 'Keep one way'],
    [{ health: '{ runs: 1ms }' }, 'health.runs', ''],
    [{ health: 'off' }, 'health', ''],
    [{ health: '{ command: ./well, live: { runs: 10s } }' }, 'runs', ''],
  ])('%o is refused', (text, message, remedy) => {
    const problem = problemIn(text)
    expect(problem?.message).toContain(message)
    expect(problem?.remedy).toContain(remedy)
    expect(problem?.remedy).not.toBe('')
  })
})

describe('health.start', () => {
  it('has a deadline of its own, which comes before the one for becoming ready', () => {
    const health = healthOf({ listen: '8080', health: '{ path: /up, start: { tcp: true } }' })
    expect(health.start).toEqual({
      check: { kind: 'tcp' },
      intervalMs: 1000,
      timeoutMs: 1000,
      deadlineMs: 300_000,
    })
    expect(readyWithinMs(health)).toBe(360_000)
  })

  it('is off unless the file asks for it, and may be switched off for one environment', () => {
    expect(healthOf({ listen: '8080', health: '{ path: /up }' }).start).toBeUndefined()
    const off = settings({
      ...{ listen: '8080', health: '{ path: /up, start: { path: /started } }' },
      more: 'environments: { local: { health: { start: off } } }',
    })
    expect([off.health.start, readyWithinMs(off.health)]).toEqual([undefined, 60_000])
  })

  it('is explained as it is written', () => {
    const text = { listen: '8080', health: '{ path: /up, start: { path: /started, deadline: 2m } }' }
    expect(explained(text, 'health.start')).toEqual([
      ['health.start.path', '/started'],
      ['health.start.interval', '1s'],
      ['health.start.timeout', '1s'],
      ['health.start.deadline', '2m'],
    ])
  })

  it.each([
    ['{ path: /up, start: {} }', 'exactly one of path, tcp, grpc and command'],
    ['{ path: /up, start: { tcp: true, path: /s } }', 'exactly one of path, tcp, grpc and command'],
    ['{ path: /up, start: { tcp: true, failures: 3 } }', 'failures'],
    ['{ path: /up, start: { tcp: true, deadline: 2d } }', 'health.start.deadline'],
    ['{ path: /up, start: soon }', 'health.start'],
  ])('%s is refused', (health, message) => {
    expect(problemIn({ listen: '8080', health })?.message).toContain(message)
  })
})

describe('run.quiesce by a command', () => {
  const quiesce = (run: string) => settings({ run }).run.quiesce

  it('is a program with a time limit, and the worker has its grace as with a signal', () => {
    expect(quiesce(', quiesce: { command: ./drain.sh --now }')).toEqual({
      command: ['./drain.sh', '--now'],
      timeoutMs: 30_000,
      graceMs: 600_000,
    })
    expect(quiesce(', quiesce: { command: [./drain.sh], timeout: 5s }, grace: 1m')).toEqual({
      command: ['./drain.sh'],
      timeoutMs: 5000,
      graceMs: 60_000,
    })
    expect(quiesce(', quiesce: SIGUSR2')).toEqual({ signal: 'SIGUSR2', graceMs: 600_000 })
  })

  it('is explained as it is written', () => {
    expect(explained({ run: ', quiesce: { command: ./drain.sh }' }, 'run.quiesce')).toEqual([
      ['run.quiesce.command', '[./drain.sh]'],
      ['run.quiesce.timeout', '30s'],
    ])
  })

  it.each([
    [', quiesce: {}', 'run.quiesce.command'],
    [', quiesce: { command: "" }', 'run.quiesce.command'],
    [', quiesce: { command: ./drain.sh, signal: SIGUSR1 }', 'signal'],
    [', quiesce: { command: ./drain.sh, timeout: 2m }, grace: 1m', 'not below the 1m'],
    [', quiesce: SIGKILL', 'run.quiesce'],
  ])('%s is refused', (run, message) => {
    const problem = problemIn({ run })
    expect(problem?.message).toContain(message)
    expect(problem?.remedy).not.toBe('')
  })

  it('is for workers alone', () => {
    const text = { listen: '8080', health: '{ path: /up }', run: ', quiesce: { command: ./drain.sh }' }
    expect(problemIn(text)?.message).toContain('is for workers')
  })
})

import { describe, expect, test } from 'vitest'
import { summaryOf } from './config-problem.ts'
import { isOnlyProblem, problemsIn, replaced, withLines } from './load-problems.test.fixture.ts'

describe('a file that cannot work is refused before anything is done: place, cause, remedy (S6): what does not fit together', () => {
  test.each<[string, string, string, string, string]>([
    [
      'CONFIG_MISSING_KEY',
      withLines('notify: [{ name: a, webhook: "https://x.example" }]'),
      '7:10',
      'notify[0].secret is missing',
      'WEBHOOK_SECRET',
    ],
    [
      'CONFIG_LATENCY_BOUND',
      withLines('analysis: { critical: { p99: 450ms } }'),
      '7:30',
      'analysis.critical.p99 is "450ms"',
      'Write 400ms or 500ms',
    ],
    [
      'CONFIG_LATENCY_BOUND',
      withLines('analysis: { warning: { p99: 1m } }'),
      '7:29',
      'analysis.warning.p99 is "1m"',
      'Write 30s',
    ],
    [
      'CONFIG_WEIGHTS_NOT_RISING',
      withLines('strategy: { canary: { steps: [{ weight: 5% }, { weight: 5% }] } }'),
      '7:57',
      'steps[1].weight is 5%, not above the 5%',
      'rising',
    ],
    [
      'CONFIG_CONFLICT',
      withLines('strategy: { canary: { preset: quick, steps: [{ weight: 5% }] } }'),
      '7:31',
      'strategy.canary.preset stands beside steps',
      'one of the two',
    ],
    [
      'CONFIG_CONFLICT',
      withLines('strategy: { canary: { steps: [{ weight: 100%, pause: 5m }] } }'),
      '7:54',
      'stands at a step of 100%',
      'watch',
    ],
    [
      'CONFIG_CONFLICT',
      withLines('strategy: { canary: { watch: 500ms } }'),
      '7:30',
      'strategy.canary.watch is 500ms, shorter than the 1s',
      'at least 1s',
    ],
    [
      'CONFIG_CONFLICT',
      withLines('analysis: { resourceFailureLimit: { limit: 6 } }'),
      '7:44',
      'analysis.resourceFailureLimit.limit is 6 of the last 5, which is never',
      'at most "of"',
    ],
    [
      'CONFIG_CONFLICT',
      replaced(6, '  path: /up', '  interval: 60s'),
      '7:13',
      'no instance could ever become ready',
      'above 1m',
    ],
    [
      'CONFIG_CONFLICT',
      replaced(3, '  command: a', '  env: { PORT: 80 }'),
      '4:16',
      'run.env.PORT is set by Sluice',
      'Remove it',
    ],
    [
      'CONFIG_CONFLICT',
      replaced(3, '  command: a', '  env: { A: 1 }', '  secrets: [A]'),
      '5:12',
      'run.secrets holds A, which run.env sets as well',
      'one of the two',
    ],
    [
      'CONFIG_CONFLICT',
      withLines('environments: { production: { production: false } }'),
      '7:43',
      'always production',
      'Remove',
    ],
    [
      'CONFIG_CONFLICT',
      withLines('notify: [{ name: a, command: x }, { name: a, command: y }]'),
      '7:9',
      'notify has a channel twice: a',
      'Remove',
    ],
    [
      'CONFIG_SAME_ADDRESS',
      'services:\n  a: { run: { command: x }, listen: 80, health: { path: / } }\n  b: { run: { command: x }, listen: "0.0.0.0:80", health: { path: / } }',
      '3:37',
      'listen of b is 0.0.0.0:80, where a listens already',
      'port of its own',
    ],
    [
      'CONFIG_SERVICE_UNKNOWN',
      'services:\n  shop: { run: { command: x }, listen: 80, health: { path: / } }\nenvironments: { staging: { services: { shpo: {} } } }',
      '3:40',
      'names "shpo"',
      'Did you mean "shop"?',
    ],
  ])('%s %#', isOnlyProblem)

  test('an environment that does not exist gets the nearest one', () => {
    const text = withLines('environments: { staging: {} }')
    expect(problemsIn(text, 'stagin')).toMatchObject([
      {
        code: 'CONFIG_ENVIRONMENT_UNKNOWN',
        message: 'sluice.yaml:7:1: there is no environment "stagin"',
        remedy: expect.stringContaining('Did you mean "staging"? Known here: "local" and "staging".'),
      },
    ])
  })

  test('all problems come at once, in the order of the file, also those of other environments', () => {
    const text = [
      'service: Shop',
      'run:',
      '  replcas: 2',
      '  replicas: 0',
      'listen: x',
      'health: { path: up }',
      'environments:',
      '  staging: { drain: { requests: 5 } }',
    ].join('\n')
    const problems = problemsIn(text)
    expect(problems.map((one) => `${one.at?.line} ${one.code}`)).toEqual([
      '1 CONFIG_BAD_NAME',
      '2 CONFIG_MISSING_KEY',
      '3 CONFIG_UNKNOWN_KEY',
      '4 CONFIG_OUT_OF_RANGE',
      '5 CONFIG_BAD_ADDRESS',
      '6 CONFIG_BAD_PATH',
      '8 CONFIG_UNIT_MISSING',
    ])
    expect(summaryOf(problems)).toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('7 problems'),
    })
    expect(summaryOf(problems.slice(0, 1))).not.toHaveProperty('at')
  })

  test('a conflict in an environment that is not asked for is found as well', () => {
    expect(
      problemsIn(withLines('environments:', '  production: { strategy: { canary: { watch: 100ms } } }')),
    ).toMatchObject([{ code: 'CONFIG_CONFLICT', at: { line: 8, column: 46 } }])
  })
})

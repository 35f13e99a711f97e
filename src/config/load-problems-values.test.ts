import { describe, expect, test } from 'vitest'
import { isOnlyProblem, problemsIn, replaced, withLines } from './load-problems.test.fixture.ts'

describe('a file that cannot work is refused before anything is done: place, cause, remedy (S6): values', () => {
  test.each<[string, string, string, string, string]>([
    [
      'CONFIG_UNIT_MISSING',
      withLines('drain: { requests: 30 }'),
      '7:20',
      'drain.requests is 30 without a unit',
      'Write 30s',
    ],
    [
      'CONFIG_UNIT_MISSING',
      withLines('analysis: { alpha: 1 }'),
      '7:20',
      'analysis.alpha is 1 without a unit',
      'Write 1%',
    ],
    [
      'CONFIG_BAD_DURATION',
      withLines('drain: { requests: soon }'),
      '7:20',
      'drain.requests is "soon"',
      '30s',
    ],
    [
      'CONFIG_BAD_SIZE',
      replaced(3, '  command: a', '  resources: { memory: 512M }'),
      '4:24',
      'run.resources.memory is "512M"',
      'Write 512MiB',
    ],
    [
      'CONFIG_OUT_OF_RANGE',
      replaced(3, '  command: a', '  resources: { cpus: 0 }'),
      '4:22',
      'run.resources.cpus is 0, but must be at least 0.01',
      'at least 0.01',
    ],
    [
      'CONFIG_WRONG_TYPE',
      replaced(3, '  command: a', '  resources: { cpus: half }'),
      '4:22',
      'run.resources.cpus is "half", but must be a number',
      'without a unit',
    ],
    [
      'CONFIG_UNKNOWN_KEY',
      replaced(3, '  command: a', '  resources: { cpu: 1 }'),
      '4:16',
      'unknown key "cpu" in run.resources',
      'Did you mean "cpus"?',
    ],
    ['CONFIG_BAD_PERCENT', withLines('analysis: { alpha: some }'), '7:20', 'analysis.alpha is "some"', '5%'],
    [
      'CONFIG_WRONG_VALUE',
      withLines('analysis: { dryRun: [p99 latency (criticl)] }'),
      '7:22',
      'analysis.dryRun[0] is "p99 latency (criticl)", and no check has this name',
      'Did you mean "p99 latency (critical)"?',
    ],
    [
      'CONFIG_OUT_OF_RANGE',
      withLines('analysis: { critical: { forLong: { over: 1s } } }'),
      '7:42',
      'analysis.critical.forLong.over is "1s", but must be at least 10s',
      '10s',
    ],
    ['CONFIG_OUT_OF_RANGE', withLines('drain: { requests: 2h }'), '7:20', 'but must be at most 1h', '1h'],
    [
      'CONFIG_OUT_OF_RANGE',
      replaced(6, '  path: /up', '  successes: 0'),
      '7:14',
      'health.successes is 0, but must be at least 1',
      'at least 1',
    ],
    [
      'CONFIG_OUT_OF_RANGE',
      withLines('prober: { paths: [] }'),
      '7:18',
      'prober.paths has 0 entries, but must have at least 1',
      'at least 1',
    ],
    [
      'CONFIG_BAD_COMMAND',
      replaced(3, '  command: "node \'x"'),
      '3:12',
      'run.command has a quote that is never closed',
      'closing',
    ],
    [
      'CONFIG_SHELL_COMMAND',
      replaced(3, '  command: a && b'),
      '3:12',
      'run.command contains &&',
      'command: [sh, -c, "a && b"]',
    ],
    [
      'CONFIG_UNKNOWN_PLACEHOLDER',
      replaced(3, '  command: node s.js', '  artifact: ./r/{{versoin}}'),
      '4:13',
      'run.artifact uses the placeholder {{versoin}}',
      'Did you mean "version"?',
    ],
    [
      'CONFIG_BAD_ADDRESS',
      replaced(4, 'listen: 127.0.0.1'),
      '4:9',
      'listen is "127.0.0.1"',
      '127.0.0.1:8080',
    ],
    ['CONFIG_BAD_ADDRESS', replaced(4, 'listen: ":8080"'), '4:9', 'without a host', '0.0.0.0:8080'],
    ['CONFIG_BAD_ADDRESS', replaced(4, 'listen: 70000'), '4:9', 'listen has the port 70000', '65535'],
    ['CONFIG_BAD_PATH', replaced(6, '  path: up'), '6:9', 'health.path is "up"', 'Write /up'],
    ['CONFIG_BAD_PATH', replaced(6, '  path: "/up x"'), '6:9', 'health.path is "/up x"', 'Write /up'],
    [
      'CONFIG_BAD_PATH',
      replaced(6, '  path: "/\u001b[2J"'),
      '6:9',
      'health.path is "/\\u001b[2J"',
      '/%1B[2J',
    ],
    ['CONFIG_BAD_PATH', replaced(6, '  path: /grün'), '6:9', 'health.path is "/grün"', 'Write /gr%C3%BCn'],
    [
      'CONFIG_BAD_PATH',
      withLines('prober: { paths: [/a, "http://x/b"] }'),
      '7:23',
      'prober.paths[1] is "http://x/b"',
      'Write /b',
    ],
    ['CONFIG_BAD_PATH', replaced(3, '  command: a', '  artifact: ~/x'), '4:13', 'begins with ~', 'in full'],
    ['CONFIG_BAD_NAME', replaced(1, 'service: Shop'), '1:10', 'service is "Shop"', 'lower-case'],
    [
      'CONFIG_BAD_NAME',
      withLines('environments: { Prod: {} }'),
      '7:17',
      'environments.Prod is no possible name',
      'lower-case',
    ],
    [
      'CONFIG_BAD_NAME',
      replaced(3, '  command: a', '  env: { "a-b": 1 }'),
      '4:10',
      'run.env.a-b is no possible name',
      'LOG_LEVEL',
    ],
    [
      'CONFIG_BAD_NAME',
      replaced(3, '  command: a', '  secrets: ["pass word"]'),
      '4:13',
      'run.secrets[0] is "pass word"',
      'never its value',
    ],
    [
      'CONFIG_BAD_URL',
      withLines('notify: [{ name: a, webhook: "ftp://x", secret: S }]'),
      '7:30',
      'notify[0].webhook is not an http',
      'https://',
    ],
    [
      'CONFIG_BAD_URL',
      withLines('notify: [{ name: a, webhook: "https://u:p@x.example", secret: S }]'),
      '7:30',
      'holds a user name or password',
      'Remove',
    ],
  ])('%s %#', isOnlyProblem)

  test('more environments than can be checked are refused', () => {
    const names = Array.from({ length: 51 }, (_, index) => `e${index}: {}`)
    expect(problemsIn(withLines(`environments: { ${names.join(', ')} }`))).toMatchObject([
      { code: 'CONFIG_OUT_OF_RANGE', message: expect.stringContaining('environments has 51 entries') },
    ])
  })
})

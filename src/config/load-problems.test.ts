import { describe, expect, test } from 'vitest'
import { summaryOf } from './config-problem.ts'
import { loadConfig } from './load.ts'

const MINIMAL = [
  'service: shop',
  'run:',
  '  command: node server.js',
  'listen: 127.0.0.1:8080',
  'health:',
  '  path: /up',
]

/** The minimal file with more lines below it: line 7 is the first of them. */
const withLines = (...lines: string[]): string => [...MINIMAL, ...lines].join('\n')
const replaced = (line: number, ...by: string[]): string => MINIMAL.toSpliced(line - 1, 1, ...by).join('\n')

function problemsIn(text: string, environment = 'local') {
  const loaded = loadConfig({ file: 'sluice.yaml', text, environment })
  if (loaded.kind === 'ok') throw new Error('expected problems')
  return loaded.problem
}

describe('a file that cannot work is refused before anything is done: place, cause, remedy (S6)', () => {
  test.each<[string, string, string, string, string]>([
    [
      'CONFIG_UNKNOWN_KEY',
      replaced(3, '  command: node s.js', '  replcas: 2'),
      '4:3',
      'unknown key "replcas" in run',
      'Did you mean "replicas"? Known here: "artifact", "command", "env", "replicas", "secrets" and "stopGrace".',
    ],
    [
      'CONFIG_UNKNOWN_KEY',
      withLines('replicas: 2'),
      '7:1',
      'unknown key "replicas" in the file',
      'It belongs under "run".',
    ],
    [
      'CONFIG_UNKNOWN_KEY',
      replaced(6, '  pth: /up'),
      '6:3',
      'unknown key "pth" in health',
      'Did you mean "path"?',
    ],
    ['CONFIG_MISSING_KEY', MINIMAL.slice(1).join('\n'), '1:1', 'service is missing', 'service: shop'],
    [
      'CONFIG_MISSING_KEY',
      replaced(3, '  replicas: 2'),
      '2:1',
      'run.command is missing',
      'command: node server.js',
    ],
    ['CONFIG_MISSING_KEY', 'services: {}', '1:11', 'services has no service', 'Add a service'],
    ['CONFIG_WRONG_TYPE', withLines('drain:'), '7:1', 'drain has no value', 'remove the key'],
    [
      'CONFIG_WRONG_TYPE',
      withLines('drain: [1]'),
      '7:8',
      'drain is a list, but must be a mapping',
      'indented',
    ],
    [
      'CONFIG_WRONG_VALUE',
      withLines('strategy: 5'),
      '7:11',
      'strategy is 5, but must be "canary" or a mapping',
      '"canary"',
    ],
    ['CONFIG_WRONG_TYPE', '[service, shop]', '1:1', 'the file is a list, but must be a mapping', 'keys'],
    [
      'CONFIG_WRONG_VALUE',
      withLines('analysis: defalt'),
      '7:11',
      'analysis is "defalt"',
      'Did you mean "default"?',
    ],
    [
      'CONFIG_WRONG_VALUE',
      withLines('strategy: { canary: standart }'),
      '7:21',
      'strategy.canary is "standart"',
      'Did you mean "standard"?',
    ],
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
    ['CONFIG_BAD_PERCENT', withLines('analysis: { alpha: some }'), '7:20', 'analysis.alpha is "some"', '5%'],
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
    ['CONFIG_YAML_SYNTAX', 'service: [shop', '1:15', 'this is no valid YAML', 'quotes'],
    [
      'CONFIG_YAML_SYNTAX',
      replaced(3, '  artifact: {{version}}/x'),
      '3:24',
      'this is no valid YAML',
      'Put quotes around the value that holds {{...}}.',
    ],
    [
      'CONFIG_YAML_SYNTAX',
      'service: a\n---\nservice: b',
      '2:1',
      'a second document begins here',
      'services:',
    ],
    ['CONFIG_YAML_SYNTAX', 'service: !secret x', '1:10', 'Unresolved tag', 'quotes'],
    ['CONFIG_YAML_TAB', 'run:\n\tcommand: x', '2:1', 'indented with a tab', 'spaces'],
    [
      'CONFIG_YAML_DUPLICATE_KEY',
      withLines('listen: 1'),
      '7:1',
      'the key "listen" stands twice',
      'Remove one',
    ],
    ['CONFIG_YAML_TOO_DEEP', `a: ${'['.repeat(40)}`, '1:1', 'nested more than 32 levels', 'brackets'],
    [
      'CONFIG_YAML_TOO_DEEP',
      Array.from({ length: 650 }, (_, index) => `${' '.repeat(index)}a:`).join('\n'),
      '33:33',
      'nested more than 32 levels',
      'key',
    ],
  ])('%s %#', (code, text, place, message, remedy) => {
    const problems = problemsIn(text)
    const found = problems.find(
      (one) => one.message.startsWith(`sluice.yaml:${place}: `) && one.message.includes(message),
    )
    expect(found, problems.map((one) => one.message).join('\n')).toMatchObject({
      code,
      remedy: expect.stringContaining(remedy),
      retryable: false,
    })
    expect(`${found?.at?.line}:${found?.at?.column}`).toBe(place)
    expect(problems).toHaveLength(1)
  })

  test.each<[string, string, string]>([
    ['run.image', replaced(3, '  image: shop'), 'run.command'],
    ['target', withLines('target: processes'), 'Remove it'],
    ['environments.staging.from', withLines('environments: { staging: { from: dev } }'), 'promotion'],
    ['environments.staging.gates', withLines('environments: { staging: { gates: [] } }'), 'pause: manual'],
    ['strategy.blueGreen', withLines('strategy: { blueGreen: {} }'), 'canary: standard'],
    [
      'environments.staging.strategy.blueGreen',
      withLines('environments: { staging: { strategy: { blueGreen: {} } } }'),
      'canary: standard',
    ],
    ['migrations', withLines('migrations: {}'), 'before the deployment'],
    ['flags', withLines('flags: {}'), 'Remove it'],
  ])('%s is a key of a later version, not a slip', (path, text, remedy) => {
    expect(problemsIn(text)).toEqual([
      expect.objectContaining({
        code: 'CONFIG_NOT_YET',
        message: expect.stringContaining(`${path} is not served by this version`),
        remedy: expect.stringContaining(remedy),
      }),
    ])
    expect(problemsIn(text)[0]?.remedy).toContain('This version runs process services with canary')
  })

  test.each([
    ['CONFIG_FILE_EMPTY', ''],
    ['CONFIG_FILE_EMPTY', '# only a comment\n'],
    ['CONFIG_FILE_BINARY', 'service: a\0b'],
    ['CONFIG_FILE_TOO_LARGE', `service: ${'x'.repeat(262_144)}`],
    [
      'CONFIG_YAML_ALIASES',
      'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]',
    ],
    ['CONFIG_YAML_ALIASES', 'service: *missing'],
  ])('%s concerns the file as a whole', (code, text) => {
    expect(problemsIn(text)).toEqual([
      expect.objectContaining({ code, at: null, message: expect.stringMatching(/^sluice\.yaml: /) }),
    ])
  })

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

  test('more environments than can be checked are refused', () => {
    const names = Array.from({ length: 51 }, (_, index) => `e${index}: {}`)
    expect(problemsIn(withLines(`environments: { ${names.join(', ')} }`))).toMatchObject([
      { code: 'CONFIG_OUT_OF_RANGE', message: expect.stringContaining('environments has 51 entries') },
    ])
  })

  test('a file of nothing but unknown keys ends after fifty problems', () => {
    const text = Array.from({ length: 2000 }, (_, index) => `key${index}: 1`).join('\n')
    expect(problemsIn(text)).toHaveLength(50)
  })

  test('names of built-in properties are only names', () => {
    const text = replaced(3, '  command: a', '  env: { constructor: x, toString: y }').concat(
      '\n__proto__: 1\nconstructor: 2\n',
    )
    expect(problemsIn(text).map((one) => one.code)).toEqual(['CONFIG_UNKNOWN_KEY', 'CONFIG_UNKNOWN_KEY'])
  })
})

import { describe, expect, test } from 'vitest'
import { isOnlyProblem, MINIMAL, problemsIn, replaced, withLines } from './load-problems.test.fixture.ts'

describe('a file that cannot work is refused before anything is done: place, cause, remedy (S6): keys and types', () => {
  test.each<[string, string, string, string, string]>([
    [
      'CONFIG_UNKNOWN_KEY',
      replaced(3, '  command: node s.js', '  replcas: 2'),
      '4:3',
      'unknown key "replcas" in run',
      'Did you mean "replicas"? Known here: "artifact", "command", "env", "envFile", "grace", "image", "network", "port", "quiesce", "replicas", "resources", "secretFiles", "secrets", "stopGrace" and "volumes".',
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
      'strategy is 5, but must be "canary", "blueGreen", "rolling", "shadow" or "recreate" or a mapping',
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
  ])('%s %#', isOnlyProblem)

  test.each<[string, string, string]>([
    ['environments.staging.from', withLines('environments: { staging: { from: dev } }'), 'promotion'],
    ['environments.staging.gates', withLines('environments: { staging: { gates: [] } }'), 'pause: manual'],
    ['strategy.featureFlag', withLines('strategy: { featureFlag: {} }'), 'canary: standard'],
    [
      'environments.staging.strategy.featureFlag',
      withLines('environments: { staging: { strategy: { featureFlag: {} } } }'),
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
    expect(problemsIn(text)[0]?.remedy).toContain('This version runs process services; ')
  })

  test('names of built-in properties are only names', () => {
    const text = replaced(3, '  command: a', '  env: { constructor: x, toString: y }').concat(
      '\n__proto__: 1\nconstructor: 2\n',
    )
    expect(problemsIn(text).map((one) => one.code)).toEqual(['CONFIG_UNKNOWN_KEY', 'CONFIG_UNKNOWN_KEY'])
  })

  test('a name that would get lost on its way into an object is refused, and never left out unnoticed', () => {
    const shop = '{ run: { command: a }, listen: 1, health: { path: /up } }'
    const services = ['services:', `  __proto__: ${shop}`, `  shop: ${shop}`, `  api: ${shop}`].join('\n')
    isOnlyProblem('CONFIG_BAD_NAME', services, '2:3', 'the key "__proto__"', 'another name')
    const variables = replaced(3, '  command: a', '  env: { __proto__: x, OTHER: y }')
    isOnlyProblem('CONFIG_BAD_NAME', variables, '4:10', 'the key "__proto__"', 'another name')
  })

  test('a file of nothing but unknown keys ends after fifty problems', () => {
    const text = Array.from({ length: 2000 }, (_, index) => `key${index}: 1`).join('\n')
    expect(problemsIn(text)).toHaveLength(50)
  })
})

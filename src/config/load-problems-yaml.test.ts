import { describe, expect, test } from 'vitest'
import { isOnlyProblem, problemsIn, replaced, withLines } from './load-problems.test.fixture.ts'

describe('a file that cannot work is refused before anything is done: place, cause, remedy (S6): the file itself', () => {
  test.each<[string, string, string, string, string]>([
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
  ])('%s %#', isOnlyProblem)

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
})

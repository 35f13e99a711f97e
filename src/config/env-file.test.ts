import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEnvFile } from './env-file.ts'

const valuesOf = (text: string) => {
  const { variables, problems } = parseEnvFile('common.env', text)
  expect(problems).toEqual([])
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]))
}

describe('an env file', () => {
  it.each([
    ['A=1', '1'],
    ['A=', ''],
    ['  A=indented', 'indented'],
    ['A=two words  ', 'two words'],
    ['A=value # comment', 'value'],
    ['A= # only a comment', ''],
    ['A=http://host/#anchor', 'http://host/#anchor'],
    ['A=a=b==', 'a=b=='],
    ["A=it's", "it's"],
    ['A=100$', '100$'],
    ["A='as $IT \\n is' # comment", 'as $IT \\n is'],
    ['A="line\\none \\"two\\" \\\\ \\$HOME"', 'line\none "two" \\ $HOME'],
    ['A=" kept "', ' kept '],
    ['A="1"\r', '1'],
    ['A={{port}}', '{{port}}'],
  ])('reads %j', (line, value) => {
    expect(valuesOf(`# head\n\n${line}\n`)).toEqual({ A: value })
  })

  it.each([
    ['A', '1:1', 'is not NAME=value'],
    ['export A=1', '1:1', 'begins with export'],
    ['1A=1', '1:1', 'name of the variable is not possible'],
    ['A-B=1', '1:1', 'name of the variable is not possible'],
    ['=1', '1:1', 'name of the variable is not possible'],
    ['A =1', '1:3', 'a space beside the equals sign'],
    ['A= 1', '1:2', 'a space beside the equals sign'],
    ['A="open', '1:3', 'the quote is not closed'],
    ["A='open", '1:3', 'the quote is not closed'],
    ['A="a"b', '1:3', 'after the closing quote'],
    ["A='a'#b", '1:3', 'after the closing quote'],
    ['A=$HOME', '1:3', 'which is not replaced here'],
    ['A="${HOME"', '1:3', 'which is not replaced here'],
    ['A="\\x"', '1:3', 'is not known in double quotes'],
    ['A=1\nA=2', '2:3', 'A is set in line 1 already'],
    ['A=a\0b', '1:4', 'a zero byte'],
    ['A={{prot}}', '1:3', 'uses the placeholder {{prot}}'],
  ])('refuses %j at %s', (text, place, what) => {
    const { problems } = parseEnvFile('common.env', text)
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining(what)])
    expect(problems[0]?.message.startsWith(`common.env:${place}: `)).toBe(true)
    expect(problems[0]?.remedy).not.toBe('')
  })

  it('reports each line that is wrong, and gives every value back that was quoted', () => {
    expect(parseEnvFile('common.env', 'A\nB=1\nC').problems).toHaveLength(2)
    const quoted = (value: string): string =>
      `"${value
        .replace(/[\\"$]/g, '\\$&')
        .replaceAll('\n', '\\n')
        .replaceAll('\r', '\\r')}"`
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        fc.pre(!value.includes('\0') && !value.includes('{{'))
        expect(valuesOf(`A=${quoted(value)}`)).toEqual({ A: value })
      }),
    )
  })
})

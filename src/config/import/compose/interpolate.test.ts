// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how Compose writes its variables.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { interpolate, variablesIn } from './interpolate.ts'

const textOf = (text: string): string => {
  const filled = interpolate(text)
  return filled.kind === 'text' ? filled.text : JSON.stringify(filled)
}

describe('variables of a Compose file', () => {
  test.each([
    ['plain', 'plain'],
    ['${A:-x}y', 'xy'],
    ['${A-x}', 'x'],
    ['${A:-}', ''],
    ['${A:-${B:-deep}}-${C-tail}', 'deep-tail'],
    ['${A:-{"a": {}}}', '{"a": {}}'],
    ['${A:+set}${A+set}.', '.'],
    ['$$HOME costs $$1', '$HOME costs $1'],
  ])('are filled as if none was set: %j', (text, filled) => {
    expect(textOf(text)).toBe(filled)
  })

  test.each([
    ['$A', ['A']],
    ['${A}/${B:?say it}/${A}', ['A', 'B']],
    ['${A:-${B}}', ['B']],
    ['${A?}', ['A']],
  ])('are open where only the shell knows them: %j', (text, names) => {
    expect(interpolate(text)).toEqual({ kind: 'open', names })
  })

  test.each([
    ['$'],
    ['a$(date)'],
    ['${A'],
    ['${}'],
    ['${1A}'],
    ['${A:=x}'],
    [`${'${A:-'.repeat(20)}${'}'.repeat(20)}`],
  ])('that begin with nothing are refused: %j', (text) => {
    expect(interpolate(text)).toMatchObject({ kind: 'invalid' })
  })

  test('name those whose default was taken, and those within defaults', () => {
    expect(interpolate('${A:-${B:-x}}')).toMatchObject({ defaultsOf: ['A', 'B'] })
    expect(variablesIn('${A:-${B:-x}}$C$$D')).toEqual(['A', 'B', 'C'])
  })

  test('never throw, and leave a text without a dollar sign as it is', () => {
    const text = fc.array(fc.constantFrom('$', '{', '}', ':-', 'A', '$$', '?', ' ', 'é'), { maxLength: 30 })
    fc.assert(
      fc.property(text, (parts) => {
        const joined = parts.join('')
        variablesIn(joined)
        const filled = interpolate(joined)
        return joined.includes('$') || (filled.kind === 'text' && filled.text === joined)
      }),
    )
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseStat } from './process-stat.ts'

/** As the kernel writes it; the numbers of the fields that are read stand out. */
const line = (name: string) =>
  `4711 (${name}) S 4700 4711 4699 0 -1 4194304 98 0 0 0 120 34 56 7 20 0 11 0 4843638 3133440 356 18446744073709551615 1 1 0 0\n`
const READ = {
  pid: 4711,
  state: 'S',
  parent: 4700,
  group: 4711,
  session: 4699,
  startTicks: 4_843_638,
  ownTicks: 154,
  reapedTicks: 63,
  residentPages: 356,
}

describe('one line of /proc/PID/stat', () => {
  it.each(['node', 'a b', ') S 1 1 1', '((sd-pam)', 'x) R 9 9 (y', '', 'é\n) Z 0'])(
    'is read whatever the program is called: %j',
    (name) => {
      expect(parseStat(line(name))).toEqual(READ)
    },
  )

  const anyName = fc.property(fc.string({ maxLength: 15 }), (name) => {
    expect(parseStat(line(name))).toEqual(READ)
  })
  it('is read whatever the program is called', () => fc.assert(anyName))

  it('is nothing where it is cut off, empty or of something else', () => {
    const whole = line('node').replace(/ 356 .*/s, ' 356')
    expect(parseStat(whole)).toEqual(READ)
    for (let length = 0; length < whole.length - ' 356'.length; length += 1)
      expect(parseStat(whole.slice(0, length)), whole.slice(0, length)).toBeNull()
    expect(parseStat('4711 (node) S 1 2')).toBeNull()
    expect(parseStat('no such process')).toBeNull()
    expect(parseStat(line('node').replace('120', 'many'))).toBeNull()
  })

  const anyText = fc.property(fc.string({ maxLength: 200 }), (text) => void parseStat(text))
  it('never throws', () => fc.assert(anyText))
})

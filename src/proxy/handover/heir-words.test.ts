import { expect, it } from 'vitest'
import { heirWords } from './heir-words.ts'

const PROGRAM = ['node', 'main.js', 'internal-proxy']
const PLACE = ['--folder', '/srv/proxy', '--socket', '/srv/proxy.sock']

it('the process that takes over is started with the words of the one that serves', () => {
  const words = [...PLACE, '--trust-forwarded']
  expect(heirWords(PROGRAM, words)).toEqual([...PROGRAM, ...words, '--takes-over'])
  expect(heirWords(PROGRAM, [...words, '--takes-over'])).toEqual([...PROGRAM, ...words, '--takes-over'])
})

it.each([
  { running: ['--workers', '2'], program: [], asked: ['--workers', '2'] },
  { running: ['--workers', '2'], program: ['--workers', '4'], asked: ['--workers', '4'] },
  { running: [], program: ['--workers', 'auto'], asked: ['--workers', 'auto'] },
  // Programs of older versions do not know the word, and serve with one process anyway.
  { running: ['--workers', '2'], program: ['--workers', '1'], asked: [] },
  { running: [], program: ['--workers', '1'], asked: [] },
])('what the program says about the number of processes counts: $running, $program', (given) => {
  const { running, program, asked } = given
  const words = heirWords([...PROGRAM, ...program], [...running, ...PLACE])
  expect(words).toEqual([...PROGRAM, ...PLACE, ...asked, '--takes-over'])
})

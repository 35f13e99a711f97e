import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCommand, splitWords } from './command-words.ts'

test.each([
  ['node server.js --port {{port}}', ['node', 'server.js', '--port', '{{port}}']],
  ['  node   "a b.js"\t--x=\'$HOME && y\' ', ['node', 'a b.js', '--x=$HOME && y']],
  ['say "he said \\"hi\\"" a\\ b ""', ['say', 'he said "hi"', 'a b', '']],
  ['./app --allow * --price 5$', ['./app', '--allow', '*', '--price', '5$']],
  ["./app 'it''s'", ['./app', 'its']],
])('cuts %s into words', (line, words) => {
  expect(readCommand(line)).toEqual({ kind: 'ok', value: words })
})

test('takes a list of words as it is', () => {
  expect(readCommand(['sh', '-c', 'a && b > c'])).toEqual({ kind: 'ok', value: ['sh', '-c', 'a && b > c'] })
})

test.each([
  ['npm run build && node x.js', 'contains &&'],
  ['node x.js | tee log', 'contains |'],
  ['node x.js; true', 'contains ;'],
  ['node x.js > log', 'contains >'],
  ['node $(pwd)/x.js', 'contains $('],
  ['node `pwd`', 'contains `'],
  ['node "$HOME/x.js"', 'contains $HOME'],
])('refuses %s, which needs a shell, and shows how to ask for one', (line, message) => {
  const reading = readCommand(line)
  expect(reading).toMatchObject({ kind: 'refused', complaint: { code: 'CONFIG_SHELL_COMMAND' } })
  if (reading.kind !== 'refused') return
  expect(reading.complaint.message).toContain(message)
  expect(reading.complaint.remedy).toContain('command: [sh, -c, ')
})

test('says {{port}} to somebody who wrote $PORT', () => {
  expect(readCommand('node x.js --port $PORT')).toMatchObject({
    complaint: { remedy: expect.stringContaining('{{port}}') },
  })
})

test.each([
  ['', 'CONFIG_BAD_COMMAND'],
  ['   ', 'CONFIG_BAD_COMMAND'],
  ['node "x.js', 'CONFIG_BAD_COMMAND'],
  ['x '.repeat(5000), 'CONFIG_BAD_COMMAND'],
  ['A=1 node x.js', 'CONFIG_SHELL_COMMAND'],
  ['node {{prot}}', 'CONFIG_UNKNOWN_PLACEHOLDER'],
  ['node {{ port }}', 'CONFIG_UNKNOWN_PLACEHOLDER'],
  ['node {{version}}', 'CONFIG_UNKNOWN_PLACEHOLDER'],
  [['node', 'a\0b'], 'CONFIG_BAD_COMMAND'],
  [['node', ['x']], 'CONFIG_WRONG_TYPE'],
  [{ node: 1 }, 'CONFIG_WRONG_TYPE'],
])('refuses %j', (command, code) => {
  expect(readCommand(command)).toMatchObject({ kind: 'refused', complaint: { code } })
})

test('gives back any words that were put into single quotes', () => {
  return fc.assert(
    fc.property(
      fc.array(
        fc.string().filter((word) => !word.includes("'")),
        { maxLength: 8 },
      ),
      (words) => {
        expect(splitWords(words.map((word) => `'${word}'`).join(' '))).toEqual({ kind: 'ok', value: words })
      },
    ),
  )
})

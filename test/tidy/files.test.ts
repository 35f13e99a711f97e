import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isTestPath, pathsBelow, textOf } from './sources.ts'

const MOST_LINES = 400
const MOST_TEST_LINES = 600
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.tsx?$/
/** Written in two parts, so that this file does not find itself. */
const MARKS = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`)

const files = ['src', 'web/src', 'test', 'bench', 'scripts', 'tools'].flatMap((folder) =>
  pathsBelow(folder).map((path) => ({ path, text: textOf(path) })),
)

const isTestFile = (path: string): boolean => isTestPath(path) || /^(test|bench)\//.test(path)

describe('every file', () => {
  it('was looked at', () => {
    expect(files.length).toBeGreaterThan(350)
  })

  it(`has at most ${MOST_LINES} lines, a test at most ${MOST_TEST_LINES}`, () => {
    const long = files
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ path, lines }) => lines > (isTestFile(path) ? MOST_TEST_LINES : MOST_LINES))
    expect(long).toEqual([])
  })

  it('has a name in kebab-case', () => {
    expect(files.map(({ path }) => path).filter((path) => !KEBAB.test(basename(path)))).toEqual([])
  })

  it('holds no mark of work that was put off', () => {
    const marked = files.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, index) => (MARKS.test(line) ? [`${path}:${index + 1}`] : [])),
    )
    expect(marked).toEqual([])
  })
})

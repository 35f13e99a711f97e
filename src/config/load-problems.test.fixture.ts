import { expect } from 'vitest'
import { loadConfig } from './load.ts'

export const MINIMAL = [
  'service: shop',
  'run:',
  '  command: node server.js',
  'listen: 127.0.0.1:8080',
  'health:',
  '  path: /up',
]

/** The minimal file with more lines below it: line 7 is the first of them. */
export const withLines = (...lines: string[]): string => [...MINIMAL, ...lines].join('\n')
export const replaced = (line: number, ...by: string[]): string =>
  MINIMAL.toSpliced(line - 1, 1, ...by).join('\n')

export function problemsIn(text: string, environment = 'local') {
  const loaded = loadConfig({ file: 'sluice.yaml', text, environment })
  if (loaded.kind === 'ok') throw new Error('expected problems')
  return loaded.problem
}

/** The text has this problem at this place, and no other. */
export function isOnlyProblem(
  code: string,
  text: string,
  place: string,
  message: string,
  remedy: string,
): void {
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
}

import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { shown } from '../complaint.ts'

/** One line of a Procfile: `web: node server.js`. */
export type ProcessType = { name: string; command: string; line: number }

/** A Procfile names a handful of processes; more is a list of something else. */
const MOST_PROCESSES = 100
const LINE = /^([A-Za-z0-9_-]+):\s*(.*?)\s*$/

/** The process types of a Procfile in its order. Strict where tools differ: what one of them would skip in silence is refused. */
export function parseProcfile(file: string, text: string): Result<ProcessType[]> {
  const found = new Map<string, ProcessType>()
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    if (raw.trim() === '' || /^\s*#/.test(raw)) continue
    const [, name = '', command = ''] = LINE.exec(raw) ?? []
    if (name === '') return failed(noProcess(file, line, raw))
    if (command === '') return failed(noCommand(file, line, name))
    const before = found.get(name)
    if (before !== undefined) return failed(twice(file, { name, line, before: before.line }))
    if (found.size >= MOST_PROCESSES) return failed(tooMany(file, line))
    found.set(name, { name, command, line })
  }
  return found.size === 0 ? failed(nothingIn(file)) : ok([...found.values()])
}

const bad = (message: string, remedy: string): Problem => problem('IMPORT_BAD_PROCFILE', { message, remedy })

const noProcess = (file: string, line: number, raw: string): Problem =>
  bad(
    `${file}:${line} is ${shown(raw)}, which names no process.`,
    'Write the line as "name: command", for example "web: node server.js", or put # in front of it.',
  )
const noCommand = (file: string, line: number, name: string): Problem =>
  bad(
    `${file}:${line} names the process ${name} without a command.`,
    'Write its command, or remove the line.',
  )
const twice = (
  file: string,
  { name, line, before }: { name: string; line: number; before: number },
): Problem =>
  bad(
    `${file}:${line} names the process ${name}, which line ${before} names already.`,
    'Remove one of the two lines, or give it another name.',
  )
const tooMany = (file: string, line: number): Problem =>
  bad(
    `${file}:${line} is process number ${MOST_PROCESSES + 1}, and at most ${MOST_PROCESSES} are read.`,
    'Import a file with fewer processes.',
  )
const nothingIn = (file: string): Problem =>
  bad(`${file} names no process.`, 'Write a line such as "web: node server.js" into it.')

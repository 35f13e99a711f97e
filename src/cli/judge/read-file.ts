import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Io } from '../io.ts'

/** Far more than a day of batches of many metrics; more is no file of counts. */
const MAX_FILE_BYTES = 64 * 1024 * 1024
export const STANDARD_INPUT = '-'

/** JSON as somebody gave it, not yet looked at. */
export type GivenJson = { name: string; value: unknown }

/** Reads a file, or standard input for `-`. */
export async function readJson(io: Io, file: string): Promise<Result<GivenJson>> {
  const name = file === STANDARD_INPUT ? 'standard input' : file
  const text = file === STANDARD_INPUT ? await readInput(io) : readText(path.resolve(io.cwd, file), file)
  if (text.kind === 'failed') return text
  try {
    return ok({ name, value: JSON.parse(text.value.replace(/^\uFEFF/, '')) })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return failed(notJson(name, text.value, error.message))
  }
}

async function readInput(io: Io): Promise<Result<string>> {
  const text = await io.input(MAX_FILE_BYTES)
  return text === null ? failed(tooLarge('standard input')) : ok(text)
}

function readText(absolute: string, shown: string): Result<string> {
  try {
    return statSync(absolute).size > MAX_FILE_BYTES
      ? failed(tooLarge(shown))
      : ok(readFileSync(absolute, 'utf8'))
  } catch (error) {
    return failed(
      problem('JUDGE_UNREADABLE', {
        message: `${shown} cannot be read.`,
        cause: error instanceof Error ? error.message : String(error),
        remedy: 'Name a file of JSON, or - for standard input.',
      }),
    )
  }
}

const tooLarge = (name: string): Problem =>
  problem('JUDGE_TOO_LARGE', {
    message: `${name} is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB.`,
    remedy: 'Judge the metrics in several files, or count over longer intervals.',
  })

function notJson(name: string, text: string, why: string): Problem {
  if (text.trim() === '')
    return problem('JUDGE_NOT_JSON', {
      message: `${name} is empty.`,
      remedy: 'Give it the metrics and their batches; `sluice judge --help` has an example.',
    })
  return problem('JUDGE_NOT_JSON', {
    message: `${name} is not JSON.`,
    cause: why,
    remedy: 'Correct it there. JSON has no NaN, no comments and no comma after the last entry.',
  })
}

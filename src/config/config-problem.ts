import { type Problem, problem } from '../core/shared/problem.ts'
import type { Complaint } from './complaint.ts'

/** Line and column, both counted from 1. */
export type Position = { line: number; column: number }

/** A problem of the file. `at` is `null` when it concerns the file as a whole. */
export type ConfigProblem = Problem & { at: Position | null }

/** All problems found at once, in the order of the file. Never empty. */
export type ConfigProblems = ConfigProblem[]

/** More problems than this help nobody: the first ones are the causes. */
const MAX_PROBLEMS = 50

/** @example `sluice.yaml:7:3: unknown key "replcas" in run` */
export function configProblem(
  file: string,
  at: Position | null,
  { code, message, remedy }: Complaint,
): ConfigProblem {
  const place = at === null ? file : `${file}:${at.line}:${at.column}`
  return { ...problem(code, { message: `${place}: ${message}`, remedy }), at }
}

export const inFileOrder = (problems: ConfigProblem[]): ConfigProblem[] =>
  problems
    .toSorted((a, b) => (a.at?.line ?? 0) - (b.at?.line ?? 0) || (a.at?.column ?? 0) - (b.at?.column ?? 0))
    .slice(0, MAX_PROBLEMS)

/** One problem for callers that report only one: itself, or a summary that holds all of them. */
export function summaryOf(problems: ConfigProblems): Problem {
  const [first, ...others] = problems
  if (first === undefined) throw new Error('a failed load has at least one problem')
  if (others.length === 0) {
    const { at: _at, ...single } = first
    return single
  }
  return problem('CONFIG_INVALID', {
    message: `The configuration has ${problems.length} problems.\n${problems.map((one) => `  ${one.message}`).join('\n')}`,
    remedy: problems
      .map((one) => one.remedy)
      .filter((remedy, index, all) => all.indexOf(remedy) === index)
      .join('\n'),
  })
}

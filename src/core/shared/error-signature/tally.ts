import { type ErrorSignature, MOST_SIGNATURES, type ReleaseErrors } from './report.ts'
import type { SaidError } from './scanner.ts'
import { maskCredentials, templateOf } from './template.ts'

/** One line on a page. */
const LONGEST_EXAMPLE = 300

/** Adds one error to what a release said so far. The number of kinds is bounded, their counts are not. */
export function countError(errors: ReleaseErrors, { text, example }: SaidError, at: number): ReleaseErrors {
  const template = templateOf(text)
  const known = errors.signatures.findIndex((one) => one.template === template)
  if (known >= 0) {
    const signatures = errors.signatures.map((one, index) =>
      index === known ? { ...one, count: one.count + 1, lastAt: at } : one,
    )
    return { ...errors, signatures }
  }
  if (errors.signatures.length >= MOST_SIGNATURES) return { ...errors, others: errors.others + 1 }
  const shown = maskCredentials(example.trim())
  const fresh: ErrorSignature = {
    template,
    count: 1,
    firstAt: at,
    lastAt: at,
    example: shown.length <= LONGEST_EXAMPLE ? shown : `${shown.slice(0, LONGEST_EXAMPLE).toWellFormed()}...`,
  }
  return { ...errors, signatures: [...errors.signatures, fresh] }
}

export const noErrors = (release: string): ReleaseErrors => ({
  release,
  signatures: [],
  others: 0,
  lostBytes: 0,
})

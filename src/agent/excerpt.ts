import { plainText } from '../core/shared/redact.ts'

const EXCERPT_CHARS = 200

/** What others said, for a message: one line, controls removed, at most 200 characters. */
export const excerpt = (text: string): string =>
  plainText(text.replace(/\s+/g, ' ')).trim().slice(0, EXCERPT_CHARS)

/** The same of the end, where programs say what went wrong. */
export const lastExcerpt = (text: string): string =>
  plainText(text.replace(/\s+/g, ' ')).trim().slice(-EXCERPT_CHARS)

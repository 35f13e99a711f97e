import * as z from 'zod'

const Count = z.int().nonnegative()

/** One kind of error that the instances of a release wrote, told apart by its template. Secrets are redacted in both texts. */
export const ErrorSignature = z.object({
  /** The line with numbers, ids, times, addresses and quoted text as placeholders: `order <n> of <email> failed`. */
  template: z.string(),
  count: Count,
  firstAt: z.number(),
  lastAt: z.number(),
  /** The first line of this kind, as it was written. */
  example: z.string(),
})
export type ErrorSignature = z.infer<typeof ErrorSignature>

/** What all instances of one release wrote since its set began. Counts only grow; when they fall, they began anew. */
export const ReleaseErrors = z.object({
  release: z.string(),
  signatures: z.array(ErrorSignature),
  /** Errors beyond the signatures that are kept. */
  others: Count,
  /** Output that nobody read, because it was written faster than it is read and its file was taken away. */
  lostBytes: Count,
})
export type ReleaseErrors = z.infer<typeof ReleaseErrors>

/** Kinds of errors kept for each release: more than that is a program whose lines no template fits. */
export const MOST_SIGNATURES = 50

/** A short name of a template (53 bits, cyrb53 by bryc, public domain): for lists that only ask "was it said before?". */
export function signatureKey(template: string): string {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (const letter of template) {
    const code = letter.codePointAt(0) ?? 0
    high = Math.imul(high ^ code, 2_654_435_761)
    low = Math.imul(low ^ code, 1_597_334_677)
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909)
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909)
  return (4_294_967_296 * (2_097_151 & low) + (high >>> 0)).toString(36)
}

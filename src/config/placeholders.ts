import { type Reading, read, refused } from './complaint.ts'
import { didYouMean } from './nearest.ts'

/** Refuses `{{prot}}`: a placeholder nobody fills would reach the program as it stands. */
export function checkPlaceholders(text: string, known: readonly string[], note: string): Reading<string> {
  for (const [whole, name = ''] of text.matchAll(/\{\{\s*([A-Za-z]{1,32})\s*\}\}/g)) {
    if (known.some((one) => whole === `{{${one}}}`)) continue
    const remedy = known.includes(name)
      ? `Write {{${name}}} without spaces.`
      : `${didYouMean(name, known)} ${note}`
    return refused(
      'CONFIG_UNKNOWN_PLACEHOLDER',
      `uses the placeholder ${whole}, which is not known here`,
      remedy,
    )
  }
  return read(text)
}

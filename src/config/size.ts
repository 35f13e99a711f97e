import { type Reading, read, refused, shown } from './complaint.ts'

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
  TIB: 1024 ** 4,
}
export const SIZE_PATTERN = '^\\d+(\\.\\d+)?\\s?([KMGTkmgt]?[Ii]?[Bb])?$'
/** Less is no memory for a program: somebody has left out the unit. */
const LEAST_BYTES = 1024 ** 2
/** More than any machine has; keeps sums inside safe integers. */
const MOST_BYTES = 1024 ** 5
/** Longer texts are no sizes; keeps the pattern cheap. */
const MAX_TEXT = 32

/** Reads `512MiB`, `1.5 GB` or `268435456` as bytes. `512M` is refused: some read it as 1000², others as 1024². */
export function readSize(input: unknown, leastBytes = LEAST_BYTES): Reading<number> {
  const bytes = bytesOf(input)
  if (bytes === null)
    return refused('CONFIG_BAD_SIZE', `is ${shown(input)}, which is no size`, remedyFor(input))
  if (bytes < leastBytes)
    return refused(
      'CONFIG_OUT_OF_RANGE',
      `is ${shown(input)}, but must be at least ${sizeText(leastBytes)}`,
      /^\d+$/.test(String(input))
        ? `A bare number is bytes. Write ${input}MiB if you mean that.`
        : `Write a size of at least ${sizeText(leastBytes)}.`,
    )
  if (bytes > MOST_BYTES)
    return refused(
      'CONFIG_OUT_OF_RANGE',
      `is ${shown(input)}, but must be at most 1024TiB`,
      'Write a size of at most 1024TiB.',
    )
  return read(bytes)
}

/** The exact size as people write it: `536870912` -> `512MiB`. Reads back as the same number. */
export function sizeText(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', UNITS.TIB],
    ['GiB', UNITS.GIB],
    ['MiB', UNITS.MIB],
    ['GB', UNITS.GB],
    ['MB', UNITS.MB],
    ['KiB', UNITS.KIB],
  ] as const) {
    if (size !== undefined && bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return `${bytes}B`
}

function bytesOf(input: unknown): number | null {
  if (typeof input === 'number') return Number.isSafeInteger(input) && input >= 0 ? input : null
  if (typeof input !== 'string' || input.length > MAX_TEXT) return null
  const [, digits, unit = 'B'] = /^(\d+(?:\.\d+)?)\s?([a-z]+)?$/i.exec(input) ?? []
  const size = Object.hasOwn(UNITS, unit.toUpperCase()) ? UNITS[unit.toUpperCase()] : undefined
  if (digits === undefined || size === undefined) return null
  return size === 1 && digits.includes('.') ? null : Math.round(Number(digits) * size)
}

function remedyFor(input: unknown): string {
  const letter = typeof input === 'string' ? /^(\d+(?:\.\d+)?)\s?([kmgt])i?$/i.exec(input) : null
  const binary = letter === null ? '' : `${letter[1]}${letter[2]?.toUpperCase()}iB`
  return letter === null
    ? 'Write a number with a unit, for example 512MiB, 1.5GiB or 1GB.'
    : `Write ${binary}, or ${binary.replace('i', '')} for powers of 1000.`
}

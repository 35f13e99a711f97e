import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'

/** In what the kernel counts: clock ticks in a second, bytes in a page. */
export type KernelUnits = { ticksPerSecond: number; pageBytes: number }

/** Of nearly every Linux; some ARM64 kernels have larger pages. */
const USUAL: KernelUnits = { ticksPerSecond: 100, pageBytes: 4096 }
/** From elf.h: the entries of the auxiliary vector that we read. */
const AT_PAGESZ = 6
const AT_CLKTCK = 17
const NARROW = new Set<string>(['arm', 'ia32', 'mips', 'mipsel'])

/** The kernel tells every program its units when it is started, see getauxval(3). */
export function readKernelUnits(): KernelUnits {
  try {
    const width = NARROW.has(process.arch) ? 4 : 8
    return parseAuxv(readFileSync('/proc/self/auxv'), { width, isLittle: endianness() === 'LE' })
  } catch {
    return USUAL
  }
}

/** Pairs of words: what it is, and its value. */
export function parseAuxv(
  bytes: Buffer,
  { width, isLittle }: { width: 4 | 8; isLittle: boolean },
): KernelUnits {
  const word = (at: number): number => {
    if (width === 4) return isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
    return Number(isLittle ? bytes.readBigUInt64LE(at) : bytes.readBigUInt64BE(at))
  }
  const found = new Map<number, number>()
  for (let at = 0; at + 2 * width <= bytes.length; at += 2 * width) found.set(word(at), word(at + width))
  return {
    ticksPerSecond: found.get(AT_CLKTCK) || USUAL.ticksPerSecond,
    pageBytes: found.get(AT_PAGESZ) || USUAL.pageBytes,
  }
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import type { Patch } from './patch.ts'
import { applyPatch, parsePatch } from './patch.ts'

export const ROOT = join(import.meta.dirname, '..', '..')
const FOLDER = join(ROOT, 'test', 'mutants')
const KILLERS = join(FOLDER, 'killers.json')

export type Mutant = {
  /** `03-retire-before-confirmation`. */
  name: string
  patch: Patch
  /** The changed source, or why the patch does not fit any more. */
  mutated: { source: string } | { why: string }
}

/** The first seed in which the mutant breaks a rule, and the rule as the simulator says it. */
export const Killer = z.object({ seed: z.int().positive(), rule: z.string() })
export type Killer = z.infer<typeof Killer>
export const Killers = z.record(z.string(), Killer)
export type Killers = z.infer<typeof Killers>

/** `only` are beginnings of names. */
export function readMutants(only: readonly string[] = []): Mutant[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.patch'))
    .sort(byNumber)
    .map((file) => readMutant(file.slice(0, -'.patch'.length)))
    .filter(({ name }) => only.length === 0 || only.some((start) => name.startsWith(start)))
}

function readMutant(name: string): Mutant {
  const patch = parsePatch(readFileSync(join(FOLDER, `${name}.patch`), 'utf8'))
  return { name, patch, mutated: applyPatch(readFileSync(join(ROOT, patch.file), 'utf8'), patch) }
}

/** `9-…` before `10-…`. */
const byNumber = (a: string, b: string): number => Number.parseInt(a, 10) - Number.parseInt(b, 10)

export const readKillers = (): Killers => Killers.parse(JSON.parse(readFileSync(KILLERS, 'utf8')))

/** Sorted by name, so that a new search changes no more than it must. */
export function writeKillers(killers: Killers): void {
  const sorted = Object.fromEntries(Object.entries(killers).sort(([a], [b]) => byNumber(a, b)))
  writeFileSync(KILLERS, `${JSON.stringify(sorted, null, 2)}\n`)
}

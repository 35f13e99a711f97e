import type { Position } from './config-problem.ts'

/** Where an effective value came from. */
export type Origin =
  | ({ kind: 'file' } & Position)
  | ({ kind: 'environment'; name: string } & Position)
  | ({ kind: 'preset'; name: string } & Position)
  | ({ kind: 'env-file'; file: string } & Position)
  | { kind: 'default'; note: string }

/** Where each value of one service came from, by its path in the file (`run.env.LOG_LEVEL`, `strategy.canary.steps[0]`). */
export type Origins = ReadonlyMap<string, Origin>

/** @example `sluice.yaml:12:5 (environment production)` */
export function originText(file: string, origin: Origin): string {
  if (origin.kind === 'default') return origin.note === '' ? 'default' : `default: ${origin.note}`
  if (origin.kind === 'env-file') return `${origin.file}:${origin.line}:${origin.column}`
  const place = `${file}:${origin.line}:${origin.column}`
  if (origin.kind === 'file') return place
  return origin.kind === 'environment'
    ? `${place} (environment ${origin.name})`
    : `${place} (preset ${origin.name})`
}

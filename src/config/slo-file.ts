import { resolve as resolvePath } from 'node:path'
import type { ServiceLevel } from '../core/release/analysis-settings.ts'
import { type ConfigProblem, configProblem, type Position } from './config-problem.ts'
import type { ReadEnvFile } from './env-layer.ts'
import type { FileText, Unreadable } from './file-text.ts'
import type { Layer } from './layers.ts'
import { readOpenSlo } from './open-slo.ts'

/** Twenty times what an objective takes; the parser needs long for a file that is made to be slow. */
const MAX_SLO_BYTES = 65_536

type SloFileInput = {
  /** Where the configuration stands, for messages. */
  config: string
  folder: string
  /** Highest first: the first one that says anything about an objective counts. */
  layers: readonly Layer[]
  /** A file of another environment may be on another machine. */
  mayBeMissing: boolean
  read: ReadEnvFile
}

/** The objective of the OpenSLO file that the configuration names; `null` where it names none, or it could not be read. */
export function sloInFile({ config, folder, layers, mayBeMissing, read }: SloFileInput): {
  level: ServiceLevel | null
  problems: ConfigProblem[]
} {
  const naming = layers.find(
    ({ values }) => values.analysis === 'default' || values.analysis?.slo !== undefined,
  )
  const slo = naming?.values.analysis === 'default' ? undefined : naming?.values.analysis?.slo
  if (typeof slo !== 'string' || slo === 'off') return { level: null, problems: [] }
  const found = readable(read(resolvePath(folder, slo)))
  if (found.kind === 'missing' && mayBeMissing) return { level: null, problems: [] }
  if (found.kind !== 'text')
    return { level: null, problems: [unreadable(config, placeOf(naming), { found, slo })] }
  const level = readOpenSlo(slo, found.text.replace(/^\uFEFF/, ''))
  return level.kind === 'ok' ? { level: level.value, problems: [] } : { level: null, problems: level.problem }
}

/** A text that the parser may be given. */
function readable(found: FileText): FileText {
  if (found.kind !== 'text') return found
  const bytes = Buffer.byteLength(found.text)
  if (bytes > MAX_SLO_BYTES) return { kind: 'too-large', bytes }
  return found.text.includes('\0') ? { kind: 'not-utf-8' } : found
}

function placeOf(layer: Layer | undefined): Position | null {
  const origin = layer?.originOf(['analysis', 'slo']) ?? null
  return origin === null || origin.kind === 'default' ? null : { line: origin.line, column: origin.column }
}

const unreadable = (
  config: string,
  at: Position | null,
  { found, slo }: { found: Unreadable; slo: string },
): ConfigProblem =>
  configProblem(config, at, {
    code: 'CONFIG_SLO_UNREADABLE',
    message: `analysis.slo ${slo} ${whyNot(found)}`,
    remedy:
      'Correct the path, which begins at this file, or state the objective here: { target: 99.9%, window: 30d }.',
  })

function whyNot(found: Unreadable): string {
  switch (found.kind) {
    case 'missing':
      return 'does not exist'
    case 'folder':
      return 'is a folder'
    case 'not-a-file':
      return 'is not a regular file'
    case 'too-large':
      return `has ${found.bytes} bytes, which is too large`
    case 'unreadable':
      return `cannot be read (${found.code})`
    case 'utf-16':
    case 'not-utf-8':
      return 'is not UTF-8 text'
  }
}
